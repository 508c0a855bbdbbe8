import pytest
import yaml

from dfer_ros.core.errors import ModelError
from dfer_ros.core.labels import LABELS
from dfer_ros.core.model.emotion_model import EmotionModel, EmotionModelConfig
from dfer_ros.core.model.folder import (
    DESCRIPTION_FILE,
    HEAD_FILE,
    ModelDescription,
    encoder_file,
    file_sha256,
    open_model_folder,
)
from dfer_ros.core.model.onnx_session import SessionConfig
from dfer_ros.core.model.temporal_head import TemporalHead

KEYS = [key for key in ModelDescription.__dataclass_fields__ if key not in ("training", "metrics")]


def rewrite(model, **changes):
    """Change top-level keys of model.yaml; None takes a key away."""
    path = model / DESCRIPTION_FILE
    content = yaml.safe_load(path.read_text()) | changes
    path.write_text(yaml.safe_dump({key: value for key, value in content.items() if value is not None}))


def damage(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_the_shipped_model_is_found_by_its_name(model_folder):
    assert model_folder.path.name == "mobilenet_v1"
    assert model_folder.precisions == ("fp32", "fp16", "int8")


def test_the_shipped_model_says_what_the_contract_asks(model_folder):
    description = model_folder.description
    assert description.labels == LABELS
    assert 0 < description.crop <= 128
    assert description.window_seconds == 2.0
    assert description.window_frames == 32
    assert 0.0 < description.unknown_threshold < 1.0


def test_every_file_of_the_shipped_model_is_the_one_that_model_yaml_speaks_of(model_folder):
    files = {path.name for path in model_folder.path.iterdir() if path.suffix in (".onnx", ".npz")}
    assert files == set(model_folder.description.sha256)
    assert all(model_folder.verified(name) == model_folder.path / name for name in files)


def test_a_folder_is_found_by_its_path(model_copy):
    folder = open_model_folder(str(model_copy))
    assert folder.path == model_copy
    assert folder.precisions == ("int8",)


@pytest.mark.parametrize("name", ["no_such_model", "/no/such/folder", "./no_such_model"])
def test_a_missing_folder_is_an_error_that_names_it_and_the_shipped_models(name):
    with pytest.raises(ModelError, match=r"no model folder .*no.such.*: set 'model' to .*mobilenet_v1"):
        open_model_folder(name)


def test_a_missing_description_is_an_error_that_names_the_folder(tmp_path):
    with pytest.raises(ModelError, match=f"There is no model.yaml in {tmp_path}"):
        open_model_folder(str(tmp_path))


@pytest.mark.parametrize("content", [b"labels: [neutral", b"\t- x", b"a: b: c", b"\xff\xfe\x00"])
def test_a_description_that_is_no_yaml_is_an_error_in_one_line(model_copy, content):
    (model_copy / DESCRIPTION_FILE).write_bytes(content)
    with pytest.raises(ModelError, match="cannot be read as YAML") as error:
        open_model_folder(str(model_copy))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", ["", "7", "- neutral\n- happy\n", "just text"])
def test_a_description_without_keys_is_an_error(model_copy, content):
    (model_copy / DESCRIPTION_FILE).write_text(content)
    with pytest.raises(ModelError, match="does not follow the model contract: it is not a mapping of keys"):
        open_model_folder(str(model_copy))


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_key_is_an_error_that_names_it(model_copy, key):
    rewrite(model_copy, **{key: None})
    with pytest.raises(ModelError, match=f"the keys {key} are missing"):
        open_model_folder(str(model_copy))


@pytest.mark.parametrize("key", ["training", "metrics"])
def test_what_was_trained_and_measured_may_be_missing(model_copy, key):
    rewrite(model_copy, **{key: None})
    assert getattr(open_model_folder(str(model_copy)).description, key) == {}


def test_unknown_keys_are_passed_over(model_copy):
    rewrite(model_copy, author="somebody")
    assert open_model_folder(str(model_copy)).description.labels == LABELS


@pytest.mark.parametrize("key", ["crop", "input_size", "window_seconds", "window_frames", "temperature"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), "many", [1]])
def test_a_number_that_makes_no_sense_is_an_error(model_copy, key, value):
    rewrite(model_copy, **{key: value})
    with pytest.raises(ModelError, match="does not follow the model contract"):
        open_model_folder(str(model_copy))


@pytest.mark.parametrize("key", ["crop", "input_size", "window_seconds", "window_frames", "temperature"])
def test_a_number_below_its_least_is_an_error_that_names_the_key(model_copy, key):
    rewrite(model_copy, **{key: 0})
    with pytest.raises(ModelError, match=f"{key} must be above 0"):
        open_model_folder(str(model_copy))


def test_the_encoder_cannot_see_more_than_the_aligned_crop(model_copy):
    rewrite(model_copy, crop=128)
    assert open_model_folder(str(model_copy)).description.crop == 128
    rewrite(model_copy, crop=129)
    with pytest.raises(ModelError, match="crop must be at most 128"):
        open_model_folder(str(model_copy))


@pytest.mark.parametrize("key", ["mean", "std"])
@pytest.mark.parametrize("value", [[0.5, 0.5], [0.5] * 4, 0.5, ["a", "b", "c"]])
def test_normalisation_is_of_three_channels(model_copy, key, value):
    rewrite(model_copy, **{key: value})
    with pytest.raises(ModelError, match="does not follow the model contract"):
        open_model_folder(str(model_copy))


@pytest.mark.parametrize(
    "labels", [[], list(LABELS[:6]), [*LABELS, "contempt"], ["happy", *LABELS[1:]], ["smile", *LABELS[1:]], 7, [1] * 7]
)
def test_labels_that_are_not_the_seven_classes_are_an_error(model_copy, labels):
    rewrite(model_copy, labels=labels)
    with pytest.raises(ModelError, match="does not follow the model contract"):
        open_model_folder(str(model_copy))


def test_the_labels_may_come_in_any_order(model_copy):
    rewrite(model_copy, labels=list(reversed(LABELS)))
    assert open_model_folder(str(model_copy)).description.labels == LABELS[::-1]


@pytest.mark.parametrize("name", [HEAD_FILE, "encoder_int8.onnx"])
def test_a_damaged_file_is_an_error_that_names_it(model_copy, name):
    damage(model_copy / name)
    with pytest.raises(
        ModelError, match=f"{model_copy / name} is damaged \\(its sha256 is not the one in model.yaml\\)"
    ):
        EmotionModel(EmotionModelConfig(model=str(model_copy), precision="int8"))


@pytest.mark.parametrize("name", [HEAD_FILE, "encoder_int8.onnx"])
def test_a_missing_file_is_an_error_that_names_it(model_copy, name):
    (model_copy / name).unlink()
    with pytest.raises(ModelError, match=f"The model file {model_copy / name} is missing"):
        EmotionModel(EmotionModelConfig(model=str(model_copy), precision="int8"))


def test_a_file_without_a_checksum_is_an_error(model_copy):
    rewrite(model_copy, sha256={})
    with pytest.raises(ModelError, match=r"has no sha256 for encoder_int8\.onnx"):
        EmotionModel(EmotionModelConfig(model=str(model_copy), precision="int8"))


def test_a_file_that_is_no_network_is_an_error_even_with_its_checksum(model_copy):
    (model_copy / HEAD_FILE).write_bytes(b"no network")
    folder = open_model_folder(str(model_copy))
    rewrite(model_copy, sha256=folder.description.sha256 | {HEAD_FILE: file_sha256(model_copy / HEAD_FILE)})
    with pytest.raises(ModelError, match=f"cannot load {model_copy / HEAD_FILE}"):
        EmotionModel(EmotionModelConfig(model=str(model_copy), precision="int8"))


def test_a_head_for_other_embeddings_is_an_error(model_folder):
    with pytest.raises(ModelError, match=r"head.onnx does not fit: it must take embeddings \[P, T, 5\]"):
        TemporalHead(model_folder, 5, SessionConfig())


def test_an_encoder_in_place_of_the_head_is_an_error(model_copy):
    (model_copy / HEAD_FILE).write_bytes((model_copy / encoder_file("int8")).read_bytes())
    sums = open_model_folder(str(model_copy)).description.sha256
    rewrite(model_copy, sha256=sums | {HEAD_FILE: sums["encoder_int8.onnx"]})
    with pytest.raises(ModelError, match=r"head.onnx does not fit"):
        EmotionModel(EmotionModelConfig(model=str(model_copy), precision="int8"))


def test_a_head_in_place_of_the_encoder_is_an_error(model_copy):
    (model_copy / encoder_file("int8")).write_bytes((model_copy / HEAD_FILE).read_bytes())
    sums = open_model_folder(str(model_copy)).description.sha256
    rewrite(model_copy, sha256=sums | {"encoder_int8.onnx": sums[HEAD_FILE]})
    with pytest.raises(ModelError, match="int8 encoder does not follow the contract"):
        EmotionModel(EmotionModelConfig(model=str(model_copy), precision="int8"))


@pytest.mark.parametrize("name", ["..", ".", "", "~", "mobilenet_v1 ", "MODEL.yaml"])
def test_a_name_cannot_leave_the_folder_of_the_shipped_models(name):
    with pytest.raises(ModelError, match="There is no model folder"):
        open_model_folder(name)


@pytest.mark.parametrize("path", ["~nobody_of_this_name/model", "a/\0b", "/dev/null"])
def test_a_path_that_is_no_folder_is_an_error(path):
    with pytest.raises(ModelError, match="There is no model folder"):
        open_model_folder(path)


@pytest.mark.parametrize("name", ["../head.onnx", "/etc/passwd", "a/../../b", "..", ".", "", "\\head.onnx", 7])
def test_checksums_speak_of_files_of_the_folder_only(model_copy, name):
    rewrite(model_copy, sha256={name: "0" * 64})
    with pytest.raises(ModelError, match="which is not the name of a file of this folder"):
        open_model_folder(str(model_copy))


@pytest.mark.parametrize("digest", [7, "", "0" * 63, "G" * 64, None, ["0" * 64]])
def test_a_checksum_is_hex_digits(model_copy, digest):
    rewrite(model_copy, sha256={HEAD_FILE: digest})
    with pytest.raises(ModelError, match="must be 64 lower case hex digits"):
        open_model_folder(str(model_copy))


@pytest.mark.parametrize("name", ["../head.onnx", "/etc/passwd"])
def test_a_file_outside_of_the_folder_is_never_verified(model_folder, name):
    with pytest.raises(ModelError, match="is not the name of a file in the model folder"):
        model_folder.verified(name)


@pytest.mark.parametrize("name", [HEAD_FILE, "encoder_int8.onnx", DESCRIPTION_FILE])
@pytest.mark.parametrize("relative", [False, True])
def test_a_link_out_of_the_folder_is_an_error_that_names_it(model_copy, name, relative):
    outside = model_copy.parent / name
    (model_copy / name).rename(outside)
    (model_copy / name).symlink_to(f"../{name}" if relative else outside)
    with pytest.raises(ModelError, match=f"{model_copy / name} is a link that leads out of its folder"):
        EmotionModel(EmotionModelConfig(model=str(model_copy), precision="int8"))


def test_a_link_within_the_folder_and_one_to_the_folder_are_fine(model_copy):
    (model_copy / HEAD_FILE).rename(model_copy / "head_7.onnx")
    (model_copy / HEAD_FILE).symlink_to("head_7.onnx")
    link = model_copy.parent / "link"
    link.symlink_to(model_copy)
    assert open_model_folder(str(link)).verified(HEAD_FILE).is_file()


def test_a_link_to_itself_is_an_error(model_copy):
    (model_copy / HEAD_FILE).unlink()
    (model_copy / HEAD_FILE).symlink_to(HEAD_FILE)
    with pytest.raises(ModelError, match=f"{model_copy / HEAD_FILE} is"):
        open_model_folder(str(model_copy)).verified(HEAD_FILE)


def test_the_shipped_models_may_be_links_as_colcon_makes_them(model_folder, tmp_path, monkeypatch):
    installed = tmp_path / "models" / model_folder.path.name
    installed.mkdir(parents=True)
    for file in model_folder.path.iterdir():
        (installed / file.name).symlink_to(file)
    monkeypatch.setattr("dfer_ros.core.model.folder.share_directory", lambda: tmp_path)
    assert open_model_folder(model_folder.path.name).verified(HEAD_FILE) == installed / HEAD_FILE


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.mkdir [{made}]",
        "labels: !!python/object/apply:os.mkdir [{made}]",
        "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "\n".join(f"b: &a [{', '.join(['*a'] * 10)}]" for _ in range(9)),
        "a: &a [*a]",
        "[" * 10_000,
        "a: " + "x" * 300_000,
        "a: 2024-99-99",
    ],
)
def test_a_description_that_attacks_its_reader_is_an_error(model_copy, tmp_path, text):
    (model_copy / DESCRIPTION_FILE).write_text(text.replace("{made}", str(tmp_path / "made")))
    with pytest.raises(ModelError, match="cannot be read as YAML"):
        open_model_folder(str(model_copy))
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("input_size", 10**6),
        ("window_frames", 10**9),
        ("window_seconds", 1e9),
        ("temperature", float("inf")),
        ("input_size", float("inf")),
        ("mean", [0.5, 0.5, float("nan")]),
        ("std", [0.5, 0.5, float("nan")]),
        ("std", [0.5, 0.5, 0.0]),
        ("unknown_threshold", float("nan")),
        ("unknown_threshold", 1.1),
    ],
)
def test_a_number_that_would_take_all_memory_or_is_none_is_an_error(model_copy, key, value):
    rewrite(model_copy, **{key: value})
    with pytest.raises(ModelError, match="does not follow the model contract"):
        open_model_folder(str(model_copy))
