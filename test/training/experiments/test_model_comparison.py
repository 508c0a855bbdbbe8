import csv
import shutil
from dataclasses import asdict

import cv2
import pytest
import yaml
from made_runs import SMALL_VIT, save_encoder, write_clips, write_stills
from rich.console import Console

from dfer_ros.cli.main import main
from dfer_ros.training.clips.embeddings import load_clip_embeddings
from dfer_ros.training.courses.bank import load_bank
from dfer_ros.training.encoder.frame_encoder import EncoderConfig, parameter_counts
from dfer_ros.training.encoder.trained_encoder import load_trained_encoder
from dfer_ros.training.experiments.comparison.encoder import BANK_FILE, CLIPS_FILE
from dfer_ros.training.experiments.comparison.report import CSV_FILE, MARKDOWN_FILE, PICTURE_FILE, write_report
from dfer_ros.training.experiments.comparison.results import ComparedModel, sources_won
from dfer_ros.training.experiments.conv3d.run import CONV3D
from dfer_ros.training.head.create_head import HeadConfig, create_head, parameter_count
from dfer_ros.training.head.left_out import HEAD, WEIGHTED_MEAN, ComparisonRow, loso_table
from dfer_ros.training.head.run import frame_classifier
from dfer_ros.training.head.training import HeadScheduleConfig, HeadTrainingConfig

SIZE = 32
SOURCES = ("mead", "feid", "ckplus")
SCHEDULE = HeadScheduleConfig(steps=2, batch_size=8, log_steps=2, checkpoint_steps=2)
CONTENT = {
    "kind": "comparison",
    "encoder": "small",
    "clips": "clips",
    "stills": [{"name": "stills", "count": 14}],
    "heads": ["gru"],
    "other_encoders": ["vit_lora"],
    "clip_run": "conv3d",
    "input_size": SIZE,
    "training": {"schedule": asdict(SCHEDULE)},
}
CONV3D_RUN = {
    "kind": "clip",
    "clips": "clips",
    "training": {
        "model": {"channels": [4]},
        "window": {"frames": 4, "input_size": 16},
        "schedule": {"steps": 1, "batch_size": 2},
    },
}


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder with stills and clips, and the run of an encoder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    write_stills(tmp_path / "prepared" / "stills")
    save_encoder(tmp_path / "runs" / "small")
    clips = [(f"{source}/{label}", "test", label, 6) for source in SOURCES for label in (1, 4)]
    write_clips(tmp_path / "prepared" / "clips", clips)
    (tmp_path / "comparison.yaml").write_text(yaml.safe_dump(CONTENT))
    (tmp_path / "conv3d.yaml").write_text(yaml.safe_dump(CONV3D_RUN))
    return tmp_path


def train(name):
    with pytest.raises(SystemExit) as ended:
        main(["train", name])
    return ended.value.code


def read_csv(folder):
    with (folder / CSV_FILE).open() as file:
        return list(csv.DictReader(file))


def compared(name, uars, parameters=10, multiply_adds=3e9):
    """Return a model with the UAR on each source; clips and other figures are made up."""
    rows = tuple(ComparisonRow(source, name, "plain", 4, uar / 2, uar, 1.0) for source, uar in uars.items())
    return ComparedModel(name, 0, parameters, multiply_adds, rows)


def test_a_whole_comparison(workplace):
    model = save_encoder(workplace / "runs" / "vit_lora", EncoderConfig("vit", None, tuning="lora", vit=SMALL_VIT))
    (workplace / "comparison.yaml").write_text(yaml.safe_dump({**CONTENT, "heads": ["gru", "transformer"]}))
    assert train("conv3d.yaml") == 0
    assert train("comparison.yaml") == 0
    output = workplace / "runs" / "comparison"
    rows = read_csv(output)
    names = ["still, weighted mean", "still, newest frame alone", "gru", "transformer", "vit_lora, weighted mean"]
    names += [f"{CONV3D}, every frame", f"{CONV3D}, every stride"]
    assert list(dict.fromkeys(row["model"] for row in rows)) == names
    for name in names:
        assert [row["source"] for row in rows if row["model"] == name] == ["videos", *SOURCES]
    by_name = {row["model"]: row for row in rows}
    assert int(by_name["vit_lora, weighted mean"]["encoder_parameters"]) == parameter_counts(model)[0]
    assert parameter_counts(model)[0] < parameter_counts(model)[1]

    # The figures are those of a run for a head on the same material.
    (folder,) = output.glob("small-*")
    bank, clips = load_bank(folder / BANK_FILE), load_clip_embeddings(folder / CLIPS_FILE)
    classifier = frame_classifier(load_trained_encoder(workplace / "runs" / "small", SIZE), bank)
    config = HeadTrainingConfig(head=HeadConfig("gru"), schedule=SCHEDULE)
    expected = {
        (row.head, row.source): row for row in loso_table(config, classifier, bank, clips) if row.order == "plain"
    }
    for name, head in (("gru", HEAD), ("still, weighted mean", WEIGHTED_MEAN)):
        for row in (row for row in rows if row["model"] == name):
            same = expected[head, row["source"]]
            assert float(row["uar"]) == same.uar and float(row["loss"]) == pytest.approx(same.loss, rel=1e-5)
    gru = create_head(config.head, *classifier)
    assert int(by_name["gru"]["parameters"]) == parameter_count(gru)
    still, newest = (float(by_name[name]["multiply_adds_per_second"]) for name in names[:2])
    assert float(by_name["gru"]["multiply_adds_per_second"]) - still > 30 * 32 * 3 * 16 * (18 + 16)
    assert still - newest >= 30 * 32 * SMALL_VIT.hidden_size * 7
    assert (output / PICTURE_FILE).is_file() and "## UAR by left-out source" in (output / MARKDOWN_FILE).read_text()


def test_what_is_finished_is_kept_and_what_is_absent_is_said(workplace, capsys):
    assert train("comparison.yaml") == 0
    output = workplace / "runs" / "comparison"
    said = "The encoder vit_lora is not in the table: it has no run yet."
    also = "The 3D CNN is not in the table: the run conv3d is not there or not finished."
    for text in (capsys.readouterr().out, (output / MARKDOWN_FILE).read_text()):
        assert said in text and also in text
    before = (output / CSV_FILE).read_text()
    (folder,) = output.glob("small-*")
    shutil.rmtree(folder / "gru")
    (output / CSV_FILE).unlink()

    assert train("comparison.yaml") == 0
    assert not (folder / "gru").exists() and (output / CSV_FILE).read_text() == before

    # One more head: the others stay.
    (workplace / "comparison.yaml").write_text(yaml.safe_dump({**CONTENT, "heads": ["gru", "weighted_mean"]}))
    assert train("comparison.yaml") == 0
    assert not (folder / "gru").exists() and (folder / "weighted_mean" / "mead" / "checkpoint.pt").is_file()
    assert (output / CSV_FILE).read_text().startswith(before)

    (folder / "gru.json").write_text("{")
    assert train("comparison.yaml") == 1
    assert "gru.json cannot be read" in capsys.readouterr().err.replace("\n", " ")

    # Another encoder of the same name: nothing of the old one counts.
    shutil.rmtree(workplace / "runs" / "small")
    save_encoder(workplace / "runs" / "small", seed=1)
    assert train("comparison.yaml") == 0
    assert len(list(output.glob("small-*"))) == 2 and not (output / CSV_FILE).read_text().startswith(before)


def test_handcrafted_descriptors_have_rows_beside_networks_and_are_kept(workplace):
    (workplace / "comparison.yaml").write_text(yaml.safe_dump({**CONTENT, "heads": [], "descriptors": True}))
    assert train("comparison.yaml") == 0
    output = workplace / "runs" / "comparison"
    rows = [row for row in read_csv(output) if row["model"] in ("LBP-TOP", "HOG", "flow histogram", "all three")]
    assert [(row["model"], row["source"]) for row in rows[:4]] == [("LBP-TOP", one) for one in ("videos", *SOURCES)]
    assert len(rows) == 16
    assert all(0 <= float(row["uar"]) <= 1 for row in rows)
    # Two classes, each a weight for every number of a descriptor, and one more.
    assert int(rows[0]["parameters"]) == 2 * (3 * 16 * 59 + 1)
    text = (output / MARKDOWN_FILE).read_text()
    assert "| HOG | - | 3,530 | - |" in text and "their time and bytes" in text
    (folder,) = output.glob("descriptors-*")
    before = (folder / "HOG.json").read_bytes()
    (folder / "all_three.json").unlink()
    assert train("comparison.yaml") == 0
    assert (folder / "HOG.json").read_bytes() == before and (folder / "all_three.json").is_file()
    assert (output / MARKDOWN_FILE).read_text() == text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"encoder": "gone"}, "There is no checkpoint runs/gone/checkpoint.pt"),
        ({"heads": ["lstm"]}, "The head 'lstm' is not known: use one of weighted_mean, gru"),
        ({"stills": [{"name": "gone"}]}, "There is no index.csv in prepared/gone"),
        ({"clip_run": None, "clips": "gone.zip"}, "There are no prepared clips at prepared/gone.zip"),
        ({"head": "gru"}, "has keys that are not known, correct them or take them out: head."),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(workplace, capsys, change, sentence):
    (workplace / "comparison.yaml").write_text(yaml.safe_dump({**CONTENT, **change}))
    assert train("comparison.yaml") == 1
    error = capsys.readouterr().err.replace("\n", " ")
    assert sentence in error and "Traceback" not in error
    assert not list((workplace / "runs").rglob("comparison.*"))


def test_a_source_is_won_or_lost_or_neither():
    baseline = compared("still", {"videos": 0.5, "mead": 0.5, "feid": 0.4, "ckplus": 0.9})
    model = compared("gru", {"videos": 0.9, "mead": 0.6, "feid": 0.4, "ckplus": 0.8})
    assert sources_won(model, baseline) == (1, 1)
    assert sources_won(baseline, baseline) == (0, 0)
    # A clip model may have seen other clips.
    assert sources_won(compared("3D CNN", {"mead": 0.6, "hci": 0.9}), baseline) == (1, 0)


def test_the_report_says_what_was_measured(tmp_path):
    still = compared("still", {"videos": 0.5, "mead": 0.5, "ckplus": 0.9}, parameters=1)
    gru = compared("gru", {"videos": 0.75, "mead": 0.625, "ckplus": 1.0}, parameters=12345)
    write_report([still, gru], ["One is absent."], 25.0, tmp_path, Console(quiet=True))
    text = (tmp_path / MARKDOWN_FILE).read_text()
    assert "| gru | - | 12,345 | 3 | 75.0 / 37.5 | 100.0 / 50.0 | 2 / 0 |" in text
    assert "| still | - | 1 | 3 | 50.0 / 25.0 | 90.0 / 45.0 | - |" in text
    assert "| gru | 62.5 | 100.0 |" in text and "mead (4 clips)" in text
    assert "per second at 25 Hz" in text and "One is absent." in text
    assert cv2.imread(str(tmp_path / PICTURE_FILE)).shape[1] > 1000
    assert len(list(tmp_path.iterdir())) == 3
