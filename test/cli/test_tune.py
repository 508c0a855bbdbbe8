"""`dfer tune`: table, choice, parameter file and plot, on the real model."""

import json
import re
import resource

import cv2
import pytest
import yaml

from dfer_ros.cli.main import main
from dfer_ros.core.detection import DetectorConfig
from dfer_ros.core.model.folder import encoder_file
from dfer_ros.core.model.onnx_session import SessionConfig
from dfer_ros.core.parameter import parameters
from dfer_ros.nodes.emotion_stream import DferNodeConfig
from dfer_ros.nodes.face_stream import FaceDetectorNodeConfig
from dfer_ros.tuning.measurement import detection_ms, head_ms

FIGURES = {64: 57.3, 96: 61.6, 128: 60.4}
QUICK = ("--rounds", "1", "--multiple", "32", "--precision", "int8")


def dfer(*arguments):
    """Return the exit code of `dfer ARGUMENTS`."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return ended.value.code


@pytest.fixture
def tune(model_copy, tmp_path, capsys):
    """Run `dfer tune` on a model that says how accurate it is; return exit code and what was printed, in one line."""
    description = yaml.safe_load((model_copy / "model.yaml").read_text())
    rows = {size: {"war": uar, "uar": uar} for size, uar in FIGURES.items()}
    description["metrics"]["stills_by_input_size"] = {"affectnet7": {"int8": rows}}
    (model_copy / "model.yaml").write_text(yaml.safe_dump(description))

    def run(*arguments, model=model_copy):
        places = ("--output", tmp_path / "tune.yaml", "--plot", tmp_path / "tune.png", "--model", model)
        code = dfer("tune", *places, *arguments)
        printed = capsys.readouterr()
        return code, " ".join((printed.out + printed.err).split())

    return run


def allowed(config, values):
    by_name = parameters(config)
    return [by_name[name].refusal(value) for name, value in values.items()] == [None] * len(values)


def test_the_parameter_file_holds_what_the_nodes_allow_and_the_plot_is_a_picture(tune, tmp_path, model_copy):
    code, printed = tune(*QUICK, "--frame-rate", "5", "--detection-ms", "5", "--transport-ms", "3")
    assert code == 0
    content = yaml.safe_load((tmp_path / "tune.yaml").read_text())
    given = {node: content[f"/**/{node}"]["ros__parameters"] for node in ("dfer_node", "face_detector_node")}
    assert given["dfer_node"] == {
        "model": str(model_copy),
        "precision": "int8",
        "providers": ["CPUExecutionProvider"],
        "threads": 1,
        "input_size": 96,
        "frame_rate": 5.0,
    }
    assert allowed(DferNodeConfig(), given["dfer_node"])
    assert allowed(FaceDetectorNodeConfig(), given["face_detector_node"])
    height, width = cv2.imread(str(tmp_path / "tune.png")).shape[:2]
    assert height > 400 and width > 800
    assert {path.name for path in tmp_path.iterdir()} == {"tune.yaml", "tune.png", "model"}
    assert "A frame at 5 Hz has 200 ms: detection 5.00 (as given), transport 3.00 (as given), head" in printed


def test_it_recommends_the_cheapest_of_the_best_names_the_largest_and_measures_again(tune):
    code, printed = tune(*QUICK, "--budget-ms", "1000")
    assert code == 0
    assert "Largest within the budget: 128 pixels, int8" in printed
    assert "Recommended: 96 pixels, int8" in printed
    assert "Beyond 96 pixels accuracy does not grow" in printed
    assert "affectnet7 WAR 61.6, UAR 61.6" in printed
    assert "Measured again:" in printed and "the prediction is off by" in printed


def test_not_all_sizes_need_to_be_measured(tune):
    code, printed = tune("--rounds", "1", "--multiple", "16", "--resolutions", "3", "--budget-ms", "1000")
    assert code == 0
    assert "Recommended: 96 pixels" in printed


def test_an_encoder_file_alone_gets_a_table_and_no_parameter_file(tune, model_copy, tmp_path):
    encoder = model_copy / encoder_file("int8")
    code, printed = tune("--encoder", encoder, "--rounds", "1", "--multiple", "64", "--largest", "192")
    assert code == 0
    assert "Recommended: 192 pixels, encoder_int8 on CPUExecutionProvider" in printed
    assert "does not say how accurate it is" in printed and "No parameter file" in printed
    assert not (tmp_path / "tune.yaml").exists() and (tmp_path / "tune.png").exists()


def test_transport_comes_from_a_bench_of_the_graph(tune, tmp_path):
    bench = tmp_path / "bench_graph.json"
    bench.write_text(json.dumps({"results": [{"faces": 1, "shared_memory": True, "p50_ms": 400.0}]}))
    code, printed = tune(*QUICK, "--frame-rate", "1", "--detection-ms", "5", "--graph", bench)
    assert code == 0
    assert "(the rest of 400 ms of" in printed
    code, printed = tune(*QUICK, "--frame-rate", "1", "--detection-ms", "5", "--graph", bench, "--faces", "2")
    assert code == 1 and "has no latency with 2 faces" in printed


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--precision", "int4"), "Precision 'int4' is not known: use one of fp32, fp16, int8."),
        (("--precision", "fp32"), "encoder_fp32.onnx is missing"),
        (("--providers", "warp"), "Execution provider 'warp' is not known"),
        (("--budget-ms", "0"), "--budget-ms must be above 0, not 0."),
        (("--budget-ms", "nan"), "--budget-ms must be above 0, not nan."),
        ((*QUICK, "--budget-ms", "0.000001"), "below its cheapest resolution, 64 pixels with int8"),
        ((*QUICK, "--frame-rate", "200", "--detection-ms", "5"), "leave nothing for the encoder"),
        (("--frame-rate", "0"), "--frame-rate must be from 0.1 to 240, not 0."),
        (("--faces", "0"), "--faces must be from 1 to 200, not 0."),
        (("--largest", "192"), "--largest must be from 64 to 128, not 192."),
        (("--multiple", "50"), "less than two multiples of 50"),
        (("--detection-ms", "5"), "counts with --frame-rate only"),
        (("--encoder", "missing.onnx"), "There is no encoder file missing.onnx: correct --encoder."),
        (("--multiple", "64", "--largest", "64"), "at once: choose a smaller --multiple or a larger --largest."),
        (("--plot", "missing/tune.png"), "there is no folder missing."),
        (("--plot", "tune.svg"), "The plot tune.svg must be a .png file."),
        (("--plot", "{folder}/model.png"), "model.png is a folder: name a file."),
        (("--output", "{folder}"), "is a folder: name a file."),
        (("--output", "tune.png", "--plot", "tune.png"), "must be two files"),
        (("--output", "{folder}/model/model.yaml"), "model.yaml, which is read: choose another file."),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence_and_nothing_is_written(tune, tmp_path, arguments, sentence):
    (tmp_path / "model.png").mkdir()
    code, printed = tune(*(argument.format(folder=tmp_path) for argument in arguments))
    assert code == 1
    assert sentence in printed
    assert {path.name for path in tmp_path.iterdir()} == {"model", "model.png"}


def test_a_size_that_was_only_predicted_is_measured_before_it_is_chosen(tune):
    code, printed = tune(*QUICK, "--resolutions", "2", "--budget-ms", "1000")
    assert code == 0
    assert "Recommended: 96 pixels" in printed
    assert re.findall(r"(?<=│ ) *(64|96|128)(?= │ +\d+\.\d+ │)", printed) == ["64", "96", "128"], "96 lies between them"


def test_a_plot_that_finds_no_room_leaves_the_parameter_file(tune, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        code, printed = tune(*QUICK)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert code == 1
    assert "tune.png cannot be written (File too large)" in printed
    assert {path.name for path in tmp_path.iterdir()} == {"model", "tune.yaml"}


def test_damaged_figures_are_refused_before_anything_is_measured(tune, model_copy):
    description = yaml.safe_load((model_copy / "model.yaml").read_text())
    description["metrics"]["stills_by_input_size"]["affectnet7"]["int8"][96] = {"war": 60}
    (model_copy / "model.yaml").write_text(yaml.safe_dump(description))
    code, printed = tune(*QUICK)
    assert code == 1
    assert "stills_by_input_size of model.yaml does not follow the contract" in printed


def test_the_rest_of_a_frame_is_measured(model_folder, detector):
    assert 0 < detection_ms(DetectorConfig(detector.name)) < 1000
    assert 0 < head_ms(model_folder, 1024, SessionConfig(), faces=2) < 1000
