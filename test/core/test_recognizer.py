from dataclasses import replace

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper

from dfer_ros.core.decision import calibrated_probabilities
from dfer_ros.core.emotion import PHASE_UNKNOWN, PHASES
from dfer_ros.core.faces import SeenFace
from dfer_ros.core.labels import EXPRESSIONS, LABELS, NEUTRAL, VALENCE_AROUSAL
from dfer_ros.core.model.emotion_model import EmotionModel, EmotionModelConfig
from dfer_ros.core.model.folder import DESCRIPTION_FILE, HEAD_FILE, file_sha256
from dfer_ros.core.recognizer import Recognizer, RecognizerConfig, update_together

CONFIG = RecognizerConfig()
GOOD, BAD = 0.9, 0.01


def watch(recognizer, stamps, crop, quality=GOOD, face_id="face1"):
    """Return the answer to the last of several frames of one person."""
    answers = [recognizer.update(float(stamp), [SeenFace(face_id, crop, quality)])[0] for stamp in stamps]
    return answers[-1]


def change_head(model, change):
    """Change the graph of a model's head by a function, and its checksum with it."""
    head = onnx.load(model / HEAD_FILE)
    change(head.graph)
    onnx.save(head, model / HEAD_FILE)
    content = yaml.safe_load((model / DESCRIPTION_FILE).read_text())
    content["sha256"][HEAD_FILE] = file_sha256(model / HEAD_FILE)
    (model / DESCRIPTION_FILE).write_text(yaml.safe_dump(content))


def permute_classes(model, order):
    """Give a model's logits and labels another order: the same model, said differently."""

    def permute(graph):
        node = next(node for node in graph.node if "logits" in node.output)
        node.output[list(node.output).index("logits")] = "logits_before"
        graph.initializer.append(numpy_helper.from_array(order.astype(np.int64), "order"))
        graph.node.append(helper.make_node("Gather", ["logits_before", "order"], ["logits"], axis=1))

    change_head(model, permute)
    content = yaml.safe_load((model / DESCRIPTION_FILE).read_text())
    content["labels"] = [content["labels"][index] for index in order]
    (model / DESCRIPTION_FILE).write_text(yaml.safe_dump(content))


def tell_intensity_and_phase(model, intensity, phase):
    """Make a model's head answer the same intensity and phase logits [4] for every person, or neither for None."""

    def tell(graph):
        for output in [output for output in graph.output if output.name != "logits"]:
            graph.output.remove(output)
        for node in graph.node:
            node.output[:] = [f"{name}_before" if name in ("intensity", "phase") else name for name in node.output]
        if intensity is None:
            return
        for name, value in (("intensity", intensity), ("phase", phase)):
            row = np.array(value, np.float32)
            graph.initializer.append(numpy_helper.from_array(row, f"{name}_row"))
            graph.initializer.append(numpy_helper.from_array(np.zeros((7, *row.shape), np.float32), f"{name}_zeros"))
            graph.node.append(helper.make_node("MatMul", ["logits", f"{name}_zeros"], [f"{name}_zero"]))
            graph.node.append(helper.make_node("Add", [f"{name}_zero", f"{name}_row"], [name]))
            graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["P", *row.shape]))

    change_head(model, tell)
    return Recognizer(EmotionModel(EmotionModelConfig(model=str(model), precision="int8")))


def test_a_smiling_portrait_is_happy(recognizer, aligned_crop):
    answer = watch(recognizer, np.arange(10) / 30, aligned_crop)
    assert answer.expression == "happy"
    assert answer.confidence > 0.8
    assert answer.valence > 0.5
    assert answer.arousal > 0.2
    assert answer.intensity > 0.4


@pytest.mark.parametrize("precision", ["auto", "fp32", "fp16", "int8"])
def test_the_portrait_is_happy_in_every_precision(aligned_crop, precision):
    recognizer = Recognizer(EmotionModel(EmotionModelConfig(precision=precision)))
    assert watch(recognizer, [0.0], aligned_crop).expression == "happy"


def test_the_fields_of_an_answer_fit_together(recognizer, aligned_crop, serious_crop):
    for answer in recognizer.update(
        0.0, [SeenFace("face1", aligned_crop, GOOD), SeenFace("face2", serious_crop, GOOD)]
    ):
        probabilities = answer.probabilities
        assert probabilities.shape == (7,)
        assert probabilities.dtype == np.float32
        assert probabilities.sum() == pytest.approx(1.0, abs=1e-5)
        assert (probabilities >= 0).all()
        valence, arousal = probabilities @ VALENCE_AROUSAL
        assert (answer.valence, answer.arousal) == pytest.approx((valence, arousal), abs=1e-6)
        assert 0 <= answer.intensity <= 1
        assert 0 <= answer.phase < len(PHASES)
        if answer.expression == "unknown":
            assert answer.confidence == probabilities.max()
        else:
            assert answer.confidence == probabilities[EXPRESSIONS.index(answer.expression)]


def test_without_the_head_intensity_is_all_but_neutral_and_phase_unknown(model_copy, aligned_crop, serious_crop):
    recognizer = tell_intensity_and_phase(model_copy, None, None)
    for answer in recognizer.update(
        0.0, [SeenFace("face1", aligned_crop, GOOD), SeenFace("face2", serious_crop, GOOD)]
    ):
        assert answer.intensity == pytest.approx(1 - answer.probabilities[NEUTRAL], abs=1e-6)
        assert answer.phase == PHASE_UNKNOWN


@pytest.mark.parametrize("phase", range(1, 5))
def test_intensity_and_phase_are_the_head_s_own(model_copy, aligned_crop, phase):
    recognizer = tell_intensity_and_phase(model_copy, 0.375, np.eye(4)[phase - 1])
    answers = recognizer.update(0.0, [SeenFace("face1", aligned_crop, GOOD), SeenFace("face2", aligned_crop, BAD)])
    assert [answer.intensity for answer in answers] == [0.375, 0.375]
    assert [answer.phase for answer in answers] == [phase, PHASE_UNKNOWN]


def test_an_intensity_out_of_range_is_cut(model_copy, aligned_crop):
    assert watch(tell_intensity_and_phase(model_copy, 1.5, np.eye(4)[0]), [0.0], aligned_crop).intensity == 1.0


def test_the_probabilities_are_those_of_encoder_head_and_temperature(recognizer, model_folder, aligned_crop):
    import onnxruntime

    answer = watch(recognizer, [0.0], aligned_crop)
    head = onnxruntime.InferenceSession(str(model_folder.path / HEAD_FILE))
    embeddings = recognizer.model.encoder.encode([aligned_crop])[None]
    inputs = {"embeddings": embeddings, "ages": np.zeros((1, 1), np.float32), "mask": np.ones((1, 1), np.float32)}
    logits = head.run(["logits"], inputs)[0]
    expected = calibrated_probabilities(logits, model_folder.description.temperature)[0]
    assert answer.probabilities == pytest.approx(expected, abs=1e-4)


def test_the_answers_come_in_the_order_of_the_faces(recognizer, aligned_crop, serious_crop):
    ids = ["face7", "face2", "face9"]
    answers = recognizer.update(
        0.0, [SeenFace(*face, GOOD) for face in zip(ids, (aligned_crop, serious_crop, aligned_crop))]
    )
    assert [answer.face_id for answer in answers] == ids
    assert answers[0].probabilities == pytest.approx(answers[2].probabilities, abs=1e-5)
    assert np.abs(answers[0].probabilities - answers[1].probabilities).max() > 0.05


def test_no_faces_give_no_answers_and_do_not_run_the_encoder(recognizer):
    runs = recognizer.model.encoder.runs
    assert recognizer.update(0.0, []) == []
    assert recognizer.model.encoder.runs == runs


def test_a_person_in_a_group_gets_the_answers_of_a_person_alone(recognizer, aligned_crop, serious_crop):
    stamps = np.arange(20) / 15
    crops = {"face1": aligned_crop, "face2": serious_crop, "face3": aligned_crop[:, ::-1]}
    qualities = GOOD, 0.5, 0.7
    faces = [SeenFace(*face, quality) for face, quality in zip(crops.items(), qualities)]
    for stamp in stamps:
        together = recognizer.update(stamp, faces)
    for answer, quality in zip(together, qualities):
        recognizer.reset()
        alone = watch(recognizer, stamps, crops[answer.face_id], quality, answer.face_id)
        assert answer.probabilities == pytest.approx(alone.probabilities, abs=1e-5)
        assert replace(answer, probabilities=None, valence=0, arousal=0, intensity=0, confidence=0) == replace(
            alone, probabilities=None, valence=0, arousal=0, intensity=0, confidence=0
        )


@pytest.mark.parametrize("frames", [1, 10, 100])
@pytest.mark.parametrize("persons", [1, 3])
def test_each_crop_is_encoded_once_and_the_encoder_runs_once_a_frame(recognizer, aligned_crop, frames, persons):
    runs, crops = recognizer.model.encoder.runs, recognizer.model.encoder.crops
    faces = [SeenFace(f"face{index}", aligned_crop, GOOD) for index in range(persons)]
    for frame in range(frames):
        recognizer.update(frame / 30, faces)
    assert recognizer.model.encoder.runs - runs == frames
    assert recognizer.model.encoder.crops - crops == frames * persons


def test_the_window_grows_to_its_seconds_and_its_frames(recognizer, aligned_crop):
    answers = [watch(recognizer, [frame / 30], aligned_crop) for frame in range(150)]
    assert (answers[0].window_seconds, answers[0].window_frames) == (0.0, 1)
    assert answers[15].window_seconds == pytest.approx(0.5)
    assert 1.9 <= answers[-1].window_seconds <= 2.0
    assert 25 <= answers[-1].window_frames <= 32


def test_the_past_counts_in_the_answer(recognizer, aligned_crop, serious_crop):
    smiling_alone = watch(recognizer, [0.0], aligned_crop).probabilities
    recognizer.reset()
    serious_alone = watch(recognizer, [0.0], serious_crop).probabilities
    recognizer.reset()
    watch(recognizer, np.arange(15) / 30, aligned_crop)
    mixed = watch(recognizer, [0.5], serious_crop).probabilities
    happy = LABELS.index("happy")
    assert serious_alone[happy] + 0.2 < mixed[happy] < smiling_alone[happy]


def test_frames_of_low_quality_count_less(recognizer, aligned_crop, serious_crop):
    def after_smile(quality):
        recognizer.reset()
        watch(recognizer, [0.0], aligned_crop)
        return watch(recognizer, [0.5], serious_crop, quality).probabilities[LABELS.index("happy")]

    assert after_smile(0.05) > after_smile(0.5) > after_smile(1.0)


def test_low_quality_is_unknown_until_one_good_frame_comes(recognizer, aligned_crop):
    low = watch(recognizer, np.arange(5) / 30, aligned_crop, BAD)
    assert low.expression == "unknown"
    assert low.confidence == low.probabilities.max()
    assert watch(recognizer, [0.5], aligned_crop, GOOD).expression == "happy"
    assert watch(recognizer, [1.0], aligned_crop, BAD).expression == "happy"
    assert watch(recognizer, [3.0], aligned_crop, BAD).expression == "unknown"


@pytest.mark.parametrize(("min_quality", "expression"), [(0.0, "happy"), (0.5, "happy"), (0.6, "unknown")])
def test_the_least_quality_can_be_set(recognizer, aligned_crop, min_quality, expression):
    recognizer.configure(replace(CONFIG, min_quality=min_quality))
    assert watch(recognizer, [0.0], aligned_crop, 0.5).expression == expression


def test_below_the_threshold_the_expression_is_unknown(recognizer, aligned_crop):
    recognizer.configure(replace(CONFIG, unknown_threshold=0.99))
    answer = watch(recognizer, [0.0], aligned_crop)
    assert answer.expression == "unknown"
    assert answer.confidence == answer.probabilities.max()
    recognizer.configure(replace(CONFIG, unknown_threshold=0.0))
    assert watch(recognizer, [0.1], aligned_crop).expression == "happy"


def test_a_change_of_the_threshold_keeps_the_windows(recognizer, aligned_crop):
    watch(recognizer, [0.0, 0.5], aligned_crop)
    recognizer.configure(replace(CONFIG, unknown_threshold=0.5, hysteresis=0.2))
    assert watch(recognizer, [1.0], aligned_crop).window_frames == 3


def test_a_change_of_the_window_begins_anew(recognizer, aligned_crop):
    watch(recognizer, [0.0, 0.5], aligned_crop)
    recognizer.configure(replace(CONFIG, window_seconds=0.5))
    assert watch(recognizer, [0.75], aligned_crop).window_frames == 1
    assert watch(recognizer, [1.0, 1.25, 1.5], aligned_crop).window_seconds == 0.5


def test_a_clock_that_goes_backward_clears_every_window(recognizer, aligned_crop):
    faces = [SeenFace(face_id, aligned_crop, GOOD) for face_id in ("face1", "face2")]
    for stamp in (10.0, 10.5, 11.0):
        recognizer.update(stamp, faces)
    answers = recognizer.update(10.9, faces)
    assert [(answer.window_frames, answer.window_seconds) for answer in answers] == [(1, 0.0), (1, 0.0)]
    assert recognizer.cleared


def test_equal_stamps_are_not_backward(recognizer, aligned_crop):
    watch(recognizer, [1.0, 2.0, 2.0], aligned_crop)
    assert not recognizer.cleared


def test_a_new_id_begins_with_an_empty_window(recognizer, aligned_crop):
    watch(recognizer, np.arange(10) / 10, aligned_crop, face_id="face1")
    assert watch(recognizer, [1.0], aligned_crop, face_id="face2").window_frames == 1


def test_a_person_who_is_missed_for_a_while_keeps_the_window(recognizer, aligned_crop):
    watch(recognizer, [0.0, 0.5], aligned_crop)
    recognizer.update(1.0, [])
    answer = watch(recognizer, [1.5], aligned_crop)
    assert (answer.window_frames, answer.window_seconds) == (3, 1.5)


@pytest.mark.parametrize("others", [[], ["face2"]])
def test_a_person_who_is_away_longer_than_the_window_is_forgotten(recognizer, aligned_crop, others):
    watch(recognizer, [0.0, 0.5, 1.0], aligned_crop)
    recognizer.update(3.1, [SeenFace(other, aligned_crop, GOOD) for other in others])
    answer = watch(recognizer, [3.2], aligned_crop)
    assert (answer.window_frames, answer.window_seconds) == (1, 0.0)


def test_persons_who_left_are_not_kept_in_memory(recognizer, aligned_crop):
    for index in range(200):
        recognizer.update(index * 0.1, [SeenFace(f"face{index}", aligned_crop, GOOD)])
    assert len(recognizer._persons) <= 21


def test_reset_forgets_persons_and_the_clock(recognizer, aligned_crop):
    watch(recognizer, [100.0, 100.5], aligned_crop)
    recognizer.reset()
    assert watch(recognizer, [1.0], aligned_crop).window_frames == 1
    assert not recognizer.cleared


def test_the_same_frames_give_the_same_answers_again(recognizer, aligned_crop, serious_crop):
    def answers():
        recognizer.reset()
        crops = [aligned_crop, serious_crop] * 10
        return [watch(recognizer, [index / 30], crop).probabilities.tolist() for index, crop in enumerate(crops)]

    assert answers() == answers()


@pytest.mark.parametrize("seed", range(3))
def test_labels_in_another_order_give_the_same_answers(recognizer, model_copy, aligned_crop, serious_crop, seed):
    permute_classes(model_copy, np.random.default_rng(seed).permutation(7))
    permuted = Recognizer(EmotionModel(EmotionModelConfig(model=str(model_copy), precision="int8")))
    assert permuted.model.folder.description.labels != recognizer.model.folder.description.labels
    for index, crop in enumerate([aligned_crop, serious_crop, aligned_crop]):
        expected, answer = (watch(each, [index / 10], crop) for each in (recognizer, permuted))
        assert answer.expression == expected.expression
        assert answer.probabilities == pytest.approx(expected.probabilities, abs=1e-5)


def test_labels_alone_in_another_order_rename_the_answer(model_copy, aligned_crop):
    path = model_copy / DESCRIPTION_FILE
    content = yaml.safe_load(path.read_text())
    content["labels"][1], content["labels"][6] = "disgust", "happy"
    path.write_text(yaml.safe_dump(content))
    recognizer = Recognizer(EmotionModel(EmotionModelConfig(model=str(model_copy), precision="int8")))
    assert watch(recognizer, [0.0], aligned_crop).expression == "disgusted"


def test_the_frames_of_several_cameras_take_one_run_and_change_no_answer(recognizer, aligned_crop, serious_crop):
    """Each camera has windows of its own, of other lengths; a camera that sees nobody is one of them."""
    encoder = recognizer.model.encoder
    together = [Recognizer(recognizer.model) for _ in range(3)]
    alone = [Recognizer(recognizer.model) for _ in range(3)]
    for recognizers in (together, alone):
        watch(recognizers[0], np.arange(0.0, 1.0, 0.2), serious_crop)
    frames = [
        (1.0, [SeenFace("face1", aligned_crop, GOOD), SeenFace("face2", serious_crop, GOOD)]),
        (7.0, []),
        (3.0, [SeenFace("face1", aligned_crop[:, ::-1], GOOD)]),
    ]
    runs = encoder.runs
    answers = update_together([(one, *frame) for one, frame in zip(together, frames)])
    assert encoder.runs == runs + 1
    for answer, one, frame in zip(answers, alone, frames):
        expected = one.update(*frame)
        assert [emotion.face_id for emotion in answer] == [emotion.face_id for emotion in expected]
        for emotion, other in zip(answer, expected):
            np.testing.assert_allclose(emotion.probabilities, other.probabilities, atol=1e-5)
            assert (emotion.expression, emotion.window_frames) == (other.expression, other.window_frames)
