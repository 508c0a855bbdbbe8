import numpy as np
import pytest
from rich.console import Console

from dfer_ros.core.window import WindowConfig
from dfer_ros.training.clips.embeddings import ClipEmbeddings
from dfer_ros.training.evaluation.time_use import NEWEST_FRAME, RECORDED, SHIPPED, WEIGHTED_MEAN, measure_time_use

WINDOW = WindowConfig(1.0, 8)


def made_clips(sharpness, source="made"):
    """Return clips of 8 frames whose labels are drawn by the probabilities of the logits, which are then made sharper.

    Some frames show more than others, so that the mean of a clip depends on how sure they are.
    """
    chance = np.random.default_rng(0)
    clips = []
    for number in range(120):
        logits = chance.normal(0.0, 1.5, 7)
        label = int(chance.choice(7, p=np.exp(logits) / np.exp(logits).sum()))
        seen = chance.uniform(0.0, 1.5, (8, 1)) * logits + chance.normal(0.0, 1.0, (8, 7))
        rows = (sharpness * seen).astype(np.float32)
        stamps, quality = np.arange(8) / 4.0, np.ones(8, np.float32)
        clips.append(ClipEmbeddings(f"{number}", label, source, "", stamps, quality, rows, rows))
    return clips


def newest_logits(windows):
    """Return the head that is like the newest frame alone; embeddings are logits here."""
    rows = []
    for window in windows:
        embeddings, rest = np.zeros((len(window), 7), np.float32), np.zeros((2, len(window)), np.float32)
        window.write_to(embeddings, *rest)
        rows.append(embeddings[-1])
    return np.stack(rows)


def measured(clips, temperature):
    return measure_time_use(clips, newest_logits, WINDOW, temperature, 0, Console(quiet=True))


def test_heads_without_training_do_not_depend_on_the_temperature_of_the_model():
    one, other = (measured(made_clips(2.0), temperature) for temperature in (1.0, 4.0))
    for head in (WEIGHTED_MEAN, NEWEST_FRAME):
        assert one.recalls[head] == other.recalls[head]
        assert one.temperatures[head] == other.temperatures[head]
    assert (one.temperatures[SHIPPED], other.temperatures[SHIPPED]) == (1.0, 4.0)
    assert one.recalls[SHIPPED] != other.recalls[SHIPPED]


def test_a_head_with_its_best_temperature_has_no_advantage_over_the_same_answers():
    sharp, plain = measured(made_clips(2.0), 1.0), measured(made_clips(1.0), 1.0)
    for head in (WEIGHTED_MEAN, NEWEST_FRAME):
        assert sharp.temperatures[head] == pytest.approx(2.0 * plain.temperatures[head], rel=0.05)
        assert sharp.recalls[head][RECORDED]["videos"].uar == pytest.approx(
            plain.recalls[head][RECORDED]["videos"].uar, abs=0.01
        )
    fitted = measured(made_clips(2.0), sharp.temperatures[NEWEST_FRAME])
    assert fitted.recalls[SHIPPED] == fitted.recalls[NEWEST_FRAME]


def test_sequences_alone_need_no_temperature():
    result = measured(made_clips(1.0, "ckplus"), 2.0)
    assert result.temperatures == {SHIPPED: 2.0, WEIGHTED_MEAN: 1.0, NEWEST_FRAME: 1.0}
