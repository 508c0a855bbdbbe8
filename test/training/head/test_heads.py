import numpy as np
import onnxruntime
import pytest
import torch

from dfer_ros.core.errors import OutputError, TrainingError
from dfer_ros.core.labels import LABELS
from dfer_ros.training.experiments.conv3d.network import Conv3d, Conv3dConfig, export_conv3d
from dfer_ros.training.head.create_head import KINDS, HeadConfig, create_head, parameter_count
from dfer_ros.training.head.export import export_head
from dfer_ros.training.head.trainable_head import HeadOutput

SIZE = 24
TEMPERATURE = 1.3
DECAY = 0.6
CONFIG = HeadConfig(width=8, layers=2, decay_seconds=DECAY)
LEARNING_KINDS = [kind for kind in KINDS if kind != "weighted_mean"]


def classifier():
    chance = np.random.default_rng(1)
    return chance.normal(0, 1, (7, SIZE)).astype(np.float32), chance.normal(0, 1, 7).astype(np.float32)


def make(kind, disturbed=False):
    """Return a head; disturbed: as if it had been trained, so that nothing in it is zero."""
    torch.manual_seed(3)
    head = create_head(HeadConfig(kind, CONFIG.width, CONFIG.layers, DECAY), *classifier(), TEMPERATURE).eval()
    if disturbed:
        with torch.no_grad():
            for parameter in head.parameters():
                parameter += 0.3 * torch.randn_like(parameter)
    return head


def windows(persons=4, frames=12, seed=0):
    """Return embeddings [P, T, D], ages [P, T], falling to 0, and mask [P, T] of full windows."""
    chance = torch.Generator().manual_seed(seed)
    ages = torch.rand(persons, frames, generator=chance).sort(dim=1, descending=True).values * 2
    ages = ages - ages[:, -1:]
    mask = torch.rand(persons, frames, generator=chance) * 0.9 + 0.1
    return torch.randn(persons, frames, SIZE, generator=chance), ages, mask


def padded(embeddings, ages, mask, rows, value):
    """Return the same windows with rows of rubbish after them."""
    persons = len(mask)
    return (
        torch.cat([embeddings, torch.full((persons, rows, SIZE), value)], dim=1),
        torch.cat([ages, torch.full((persons, rows), abs(value))], dim=1),
        torch.cat([mask, torch.zeros(persons, rows)], dim=1),
    )


def expected_mean(embeddings, ages, mask):
    weight, bias = classifier()
    weights = mask.numpy() * np.exp(-ages.numpy() / DECAY)
    logits = (embeddings.numpy() @ weight.T + bias) / TEMPERATURE
    return np.einsum("pt,ptc->pc", weights / weights.sum(axis=1, keepdims=True), logits)


def close(one, other, tolerance=1e-4):
    return all(torch.allclose(a, b, atol=tolerance) for a, b in zip(one, other))


@pytest.mark.parametrize("kind", KINDS)
def test_every_head_starts_as_the_weighted_mean(kind):
    inputs = windows()
    with torch.inference_mode():
        output = make(kind)(*inputs)
    assert isinstance(output, HeadOutput)
    assert output.logits.numpy() == pytest.approx(expected_mean(*inputs), abs=1e-4)
    assert output.intensity.shape == (4,)
    assert output.phase.shape == (4, 4)
    assert ((output.intensity >= 0) & (output.intensity <= 1)).all()


@pytest.mark.parametrize("value", [0.0, 5.0, -3.0])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_without_a_frame_do_not_matter(kind, value):
    head, inputs = make(kind, disturbed=True), windows()
    with torch.inference_mode():
        assert close(head(*inputs), head(*padded(*inputs, 5, value)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_person_in_a_batch_gets_the_answer_of_a_person_alone(kind):
    head, inputs = make(kind, disturbed=True), windows()
    with torch.inference_mode():
        together = head(*inputs)
        for row in range(4):
            alone = head(*(tensor[row : row + 1] for tensor in inputs))
            assert close(alone, [part[row : row + 1] for part in together])


@pytest.mark.parametrize("kind", KINDS)
def test_one_frame_no_frame_and_frames_of_no_quality_give_finite_answers(kind):
    head = make(kind, disturbed=True)
    for frames, quality in ((1, 1.0), (1, 1e-3), (9, 1e-3), (9, 0.0)):
        embeddings, ages, _ = windows(2, frames)
        with torch.inference_mode():
            output = head(embeddings, ages, torch.full((2, frames), quality))
        assert all(torch.isfinite(part).all() for part in output)


@pytest.mark.parametrize("kind", LEARNING_KINDS)
def test_the_order_in_time_matters(kind):
    head = make(kind, disturbed=True)
    embeddings, ages, _ = windows()
    mask = torch.ones_like(ages)
    with torch.inference_mode():
        forward, backward = head(embeddings, ages, mask), head(embeddings.flip(1), ages, mask)
    assert (forward.logits - backward.logits).abs().max() > 1e-2


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_is_learned_gets_a_gradient_and_the_classifier_none(kind):
    head, inputs = make(kind, disturbed=True), windows()
    output = head(*inputs)
    loss = output.logits.square().sum() + output.intensity.sum() + output.phase.square().sum()
    loss.backward()
    without = [name for name, parameter in head.named_parameters() if parameter.grad is None]
    assert without == []
    assert not head.weight.requires_grad


def test_the_heads_that_see_logits_only_say_so():
    embeddings, ages, mask = windows()
    weight, _ = classifier()
    # A direction that the classifier does not see.
    blind = torch.from_numpy(np.linalg.svd(weight)[2][-1].astype(np.float32))
    for kind in KINDS:
        head = make(kind, disturbed=True)
        with torch.inference_mode():
            same = close(head(embeddings, ages, mask), head(embeddings + 3 * blind, ages, mask), 1e-3)
        assert same == (not head.uses_embeddings)


def test_the_apex_head_is_small():
    head = create_head(HeadConfig("apex"), *classifier())
    assert parameter_count(head) < 3000


@pytest.mark.parametrize("kind", KINDS)
def test_the_exported_head_gives_what_the_head_gives(kind, tmp_path):
    head = make(kind, disturbed=True)
    export_head(head, tmp_path / "head.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "head.onnx"))
    for persons, frames in ((1, 1), (2, 32), (5, 6)):
        inputs = padded(*windows(persons, frames, seed=persons), 2, 0.0)
        with torch.inference_mode():
            expected = head(*inputs)
        named = dict(zip(("embeddings", "ages", "mask"), (tensor.numpy() for tensor in inputs)))
        got = session.run(["logits", "intensity", "phase"], named)
        assert close(expected, [torch.from_numpy(part) for part in got], 1e-3)
    assert [path.name for path in tmp_path.iterdir()] == ["head.onnx"]


def test_a_head_cannot_be_written_into_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(OutputError, match=r"head\.onnx cannot be written"):
        export_head(make("weighted_mean"), tmp_path / "nowhere" / "head.onnx")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (HeadConfig("lstm"), "'lstm' is not known: use one of weighted_mean, gru"),
        (HeadConfig("gru", width=7), "multiple of 4"),
        (HeadConfig("apex", decay_seconds=0.0), "decay above 0 s"),
    ],
)
def test_a_head_that_cannot_be_is_an_error(config, message):
    with pytest.raises(TrainingError, match=message):
        create_head(config, *classifier())


def test_the_3d_cnn_reads_clips_of_any_length_and_exports(tmp_path):
    model = Conv3d(Conv3dConfig(channels=(4, 8))).eval()
    with torch.inference_mode():
        for frames in (1, 5, 16):
            assert model(torch.randn(2, 3, frames, 32, 32)).shape == (2, len(LABELS))
    export_conv3d(model, 8, 32, tmp_path / "clip.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "clip.onnx"))
    clip = torch.randn(3, 3, 5, 32, 32)
    with torch.inference_mode():
        expected = model(clip).numpy()
    assert session.run(["logits"], {"clips": clip.numpy()})[0] == pytest.approx(expected, abs=1e-4)
