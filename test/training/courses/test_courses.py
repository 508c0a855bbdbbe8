from dataclasses import replace

import numpy as np
import pytest

from dfer_ros.core.errors import DataError, OutputError
from dfer_ros.core.labels import LABELS, NEUTRAL
from dfer_ros.core.window import FrameWindow, WindowConfig
from dfer_ros.training.courses.bank import (
    BankConfig,
    EmbeddingBank,
    bank_of_logits,
    embed_stills,
    join_banks,
    load_bank,
    save_bank,
)
from dfer_ros.training.courses.config import INGREDIENTS, CoursesConfig
from dfer_ros.training.courses.frames import kept_by_window
from dfer_ros.training.courses.simulation import CourseSimulator
from dfer_ros.training.courses.timeline import APEX, NEUTRAL_PHASE, OFFSET, ONSET
from dfer_ros.training.data.prepared_set import PreparedSet, Sample, one_label, write_index

WINDOW = WindowConfig(2.0, 32)
NOTHING = CoursesConfig(**dict.fromkeys(INGREDIENTS, False), neutral_share=0.0)
PLAIN, DEGRADED, OCCLUDED = 3, 2, 1


def bank(stills_of_class=4, soft=True):
    """Return a bank whose embeddings [N, 6, 9] are the label, the view and the still in plain sight."""
    count = stills_of_class * len(LABELS)
    labels = np.repeat(np.arange(len(LABELS)), stills_of_class)
    embeddings = np.zeros((count, PLAIN + DEGRADED + OCCLUDED, 9), np.float32)
    embeddings[np.arange(count), :, labels] = 1.0
    embeddings[:, :, 7] = np.arange(6)
    embeddings[:, :, 8] = np.arange(count)[:, None]
    targets = np.eye(7, dtype=np.float32)[labels]
    if soft:
        # The last still of each class looks half neutral to annotators.
        last = np.arange(len(LABELS)) * stills_of_class + stills_of_class - 1
        targets[last] = 0.55 * targets[last] + 0.45 * np.eye(7, dtype=np.float32)[NEUTRAL]
    return EmbeddingBank(embeddings, targets, PLAIN, DEGRADED)


def draw(config=None, count=600, seed=0):
    return CourseSimulator(bank(), config or CoursesConfig(), WINDOW).draw(count, np.random.default_rng(seed))


def last_frames(windows):
    """Return the index of the newest frame of each window."""
    return np.count_nonzero(windows.mask > 0, axis=1) - 1


def expression(windows):
    """Return how much of the embeddings [B, T] is not neutral."""
    return windows.embeddings[:, :, 1:7].sum(axis=2)


def test_windows_are_as_the_robot_s():
    windows = draw()
    assert windows.embeddings.shape == (600, 32, 9)
    assert windows.embeddings.dtype == windows.ages.dtype == windows.mask.dtype == np.float32
    there = windows.mask > 0
    assert (there == (np.arange(32) <= last_frames(windows)[:, None])).all()
    assert (windows.ages[np.arange(600), last_frames(windows)] == 0).all()
    assert (windows.ages >= 0).all()
    assert (windows.ages <= 2).all()
    older = (windows.ages[:, :-1] - windows.ages[:, 1:])[there[:, 1:]]
    assert (older > 0).all()
    assert (windows.mask <= 1).all()
    assert (windows.embeddings[~there] == 0).all()
    assert (windows.ages[~there] == 0).all()


def test_the_same_seed_gives_the_same_windows_and_another_does_not():
    one, same, other = draw(seed=1), draw(seed=1), draw(seed=2)
    assert (one.embeddings == same.embeddings).all()
    assert (one.phase == same.phase).all()
    assert (one.embeddings != other.embeddings).any()


def test_targets_intensities_and_phases_are_in_range_and_all_occur():
    windows = draw(count=2000)
    assert windows.targets.sum(axis=1) == pytest.approx(1.0)
    assert set(windows.targets.argmax(axis=1)) == set(range(7))
    assert set(windows.phase) == {NEUTRAL_PHASE, ONSET, APEX, OFFSET}
    assert windows.intensity.min() == 0.0
    assert 0.9 < windows.intensity.max() <= 1.0


def test_intensity_is_how_far_the_newest_frame_is_on_its_way():
    windows = draw(replace(NOTHING, courses=True, partial_intensity=True))
    newest = expression(windows)[np.arange(600), last_frames(windows)]
    assert newest == pytest.approx(windows.intensity, abs=1e-5)


def test_phases_tell_where_the_expression_is_going():
    windows = draw(replace(NOTHING, courses=True), count=1500)
    rows, last = np.arange(1500), last_frames(windows)
    # Between a quarter and a sixteenth of a second before the end, frames come every 1/15 s at 30 Hz.
    change = expression(windows)[rows, last] - expression(windows)[rows, last - 1]
    assert (change[windows.phase == ONSET] > 0).all()
    assert (change[windows.phase == OFFSET] < 0).all()
    assert (expression(windows)[rows, last][windows.phase == APEX] > 0.999).all()
    assert (expression(windows)[rows, last][windows.phase == NEUTRAL_PHASE] < 0.1).all()


def test_the_label_is_the_expression_while_it_is_strong_or_fading_and_neutral_else():
    config = replace(NOTHING, courses=True, partial_intensity=True)
    windows = draw(config, count=2000)
    named = windows.targets.argmax(axis=1) != NEUTRAL
    assert named[windows.intensity >= config.named_intensity].all()
    assert not named[windows.intensity < 0.15].any()
    between = (windows.intensity >= 0.15) & (windows.intensity < config.named_intensity)
    assert named[between & (windows.phase == OFFSET)].all()
    assert not named[between & (windows.phase == ONSET)].any()


def test_without_any_ingredient_a_window_is_one_still_at_30_hz():
    windows = draw(NOTHING)
    assert (windows.phase == APEX).all()
    assert (windows.intensity == 1).all()
    assert (last_frames(windows) == last_frames(windows)[0]).all()
    same = windows.embeddings == windows.embeddings[:, :1]
    assert same[windows.mask > 0].all()
    assert (windows.embeddings[:, 0, :7] == np.eye(7)[windows.targets.argmax(axis=1)]).all()
    assert (windows.mask[windows.mask > 0] > 0.25).all()


@pytest.mark.parametrize("name", INGREDIENTS)
def test_every_ingredient_has_a_switch_that_changes_the_windows(name):
    without = replace(CoursesConfig(), **{name: False})
    one, other = draw(), draw(without)
    different = [
        (getattr(one, part) != getattr(other, part)).any() for part in ("embeddings", "ages", "mask", "intensity")
    ]
    assert any(different)


def alone(name):
    """Return windows of full expressions with one ingredient only."""
    return draw(replace(NOTHING, **{name: True}), count=2000)


def views(windows):
    return windows.embeddings[:, :, 7][windows.mask > 0]


def test_views_change_within_a_window():
    assert set(views(draw(NOTHING))) == {0.0}
    assert set(views(alone("view_changes"))) == set(range(PLAIN))


def test_low_quality_goes_with_degraded_views():
    windows = alone("low_quality")
    degraded = (windows.embeddings[:, :, 7] >= PLAIN) & (windows.mask > 0)
    clear = (windows.embeddings[:, :, 7] < PLAIN) & (windows.mask > 0)
    assert 0.05 < degraded.sum() / (degraded.sum() + clear.sum()) < 0.4
    assert windows.mask[degraded].mean() < 0.5 * windows.mask[clear].mean()


def test_occlusion_shows_covered_views():
    assert PLAIN + DEGRADED in set(views(alone("occlusion")))


@pytest.mark.parametrize(("name", "longest"), [("speech", 0.25), ("blinks", 0.25), ("pose_outliers", 0.15)])
def test_short_events_are_short(name, longest):
    windows = alone(name)
    label = windows.targets.argmax(axis=1)
    own = np.take_along_axis(windows.embeddings[:, :, :7], label[:, None, None], axis=2)[:, :, 0]
    disturbed = (own < 0.99) & (windows.mask > 0)
    share = disturbed.sum() / (windows.mask > 0).sum()
    assert 0.005 < share < 0.5
    # Events of speech may follow each other.
    if name != "speech":
        assert (
            np.where(disturbed, windows.ages, 0).max(axis=1) - np.where(disturbed, windows.ages, 9).min(axis=1)
        ).max() <= 2
        runs = (disturbed[:, :-1] & disturbed[:, 1:]).sum(axis=1)
        assert np.percentile(runs, 99) <= 2 * (longest / 0.0625) + 1


def test_pose_outliers_have_a_low_quality():
    windows = alone("pose_outliers")
    label = windows.targets.argmax(axis=1)
    own = np.take_along_axis(windows.embeddings[:, :, :7], label[:, None, None], axis=2)[:, :, 0]
    there = windows.mask > 0
    assert windows.mask[there & (own < 0.5)].mean() < 0.4 * windows.mask[there & (own == 1)].mean()


def test_rates_gaps_and_histories_change_the_frames():
    steady = last_frames(draw(NOTHING))[0]
    assert last_frames(alone("uneven_rates")).min() < 14
    assert last_frames(alone("dropped_frames")).min() < steady
    assert last_frames(alone("short_histories")).min() == 0


def test_intermediate_stills_are_on_the_way():
    config = replace(NOTHING, courses=True, intermediate_stills=True)
    stills = bank()
    middle = np.flatnonzero(stills.targets[:, NEUTRAL] == np.float32(0.45))
    marked = stills.embeddings.copy()
    marked[:, :, 8] = 0
    marked[middle, :, 8] = 1.0
    marked[middle, :, 1:7] *= 0.5
    windows = CourseSimulator(replace(stills, embeddings=marked), config, WINDOW).draw(1500, np.random.default_rng(0))
    passed = windows.embeddings[:, :, 8]
    assert passed.max() > 0.9
    # Neither a neutral face nor an apex shows anything of it.
    assert passed[expression(windows) > 0.9999].max() < 1e-3


def test_identity_keeps_what_sets_the_apex_still_apart():
    kept = draw(replace(NOTHING, courses=True, identity=True))
    without = draw(replace(NOTHING, courses=True))
    for windows in (kept, without):
        # The mean way to neutral takes the class away, whatever is kept.
        assert expression(windows).min() >= -1e-5
        assert expression(windows).max() <= 1 + 1e-5
    first = kept.embeddings[:, 0, 8] - without.embeddings[:, 0, 8]
    assert np.abs(first).max() > 1.0


def test_courses_of_logits_are_the_logits_of_courses():
    chance = np.random.default_rng(0)
    weight, bias = chance.normal(size=(7, 9)).astype(np.float32), chance.normal(size=7).astype(np.float32)
    of_logits = CourseSimulator(bank_of_logits(bank(), weight, bias), CoursesConfig(), WINDOW)
    logits = of_logits.draw(50, np.random.default_rng(3))
    embeddings = draw(count=50, seed=3)
    expected = (embeddings.embeddings @ weight.T + bias) * (embeddings.mask > 0)[:, :, None]
    assert logits.embeddings == pytest.approx(expected, abs=1e-3)


def test_a_bank_without_a_class_is_an_error():
    whole = bank()
    part = replace(whole, embeddings=whole.embeddings[:-4], targets=whole.targets[:-4])
    with pytest.raises(DataError, match="no still of the class disgust"):
        CourseSimulator(part, CoursesConfig(), WINDOW)


def test_the_frames_kept_are_those_of_the_robot_s_window():
    chance = np.random.default_rng(0)
    ages = np.sort(chance.uniform(0, 2, (40, 100)), axis=1)[:, ::-1].copy()
    ages[:, -1] = 0.0
    there = chance.random((40, 100)) < chance.random((40, 1))
    there[:, -1] = True
    kept_ages, kept = kept_by_window(ages, there, WINDOW)
    for row in range(40):
        window = FrameWindow(WINDOW, 1)
        for age in ages[row, there[row]]:
            window.add(10.0 - age, np.zeros(1, np.float32), 1.0)
        expected, mask, none = np.zeros(32, np.float32), np.zeros(32, np.float32), np.zeros((32, 1), np.float32)
        window.write_to(none, expected, mask)
        assert (kept[row] == (mask > 0)).all()
        assert kept_ages[row] == pytest.approx(expected, abs=1e-5)


@pytest.fixture
def prepared(tmp_path, aligned_crop, serious_crop):
    import cv2

    cv2.imwrite(str(tmp_path / "happy.png"), aligned_crop)
    cv2.imwrite(str(tmp_path / "neutral.png"), serious_crop)
    samples = (
        Sample("happy.png", "train", "", "", 0.0, 1.0, one_label(1)),
        Sample("neutral.png", "train", "", "", 0.0, 1.0, one_label(0)),
    )
    write_index(tmp_path, samples)
    return PreparedSet(tmp_path, samples)


def colours(crops):
    """A small encoder: the mean and the spread of each colour."""
    return np.array([np.concatenate([crop.mean(axis=(0, 1)), crop.std(axis=(0, 1))]) for crop in crops], np.float32)


def test_a_bank_holds_views_of_every_still(prepared):
    made = embed_stills(prepared, colours, BankConfig(plain=3, degraded=2, occluded=1))
    assert made.embeddings.shape == (2, 6, 6)
    assert made.labels.tolist() == [1, 0]
    assert len({tuple(view) for view in made.embeddings[0].tolist()}) == 6
    again = embed_stills(prepared, colours, BankConfig(plain=3, degraded=2, occluded=1))
    assert (again.embeddings == made.embeddings).all()


def test_banks_are_joined_kept_and_read_again(prepared, tmp_path):
    made = embed_stills(prepared, colours, BankConfig())
    both = join_banks([made, made])
    assert len(both) == 4
    save_bank(tmp_path / "bank.npz", both)
    read = load_bank(tmp_path / "bank.npz")
    assert read.embeddings == pytest.approx(both.embeddings, rel=1e-3)
    assert (read.targets == both.targets).all()
    assert (read.plain, read.degraded) == (4, 1)
    with pytest.raises(DataError, match="cannot be joined"):
        join_banks([made, embed_stills(prepared, colours, BankConfig(plain=2))])


def test_a_bank_that_is_missing_or_damaged_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"no bank of embeddings .*bank\.npz"):
        load_bank(tmp_path / "bank.npz")
    (tmp_path / "bank.npz").write_bytes(b"no bank")
    with pytest.raises(DataError, match=r"bank\.npz is not a bank"):
        load_bank(tmp_path / "bank.npz")
    with pytest.raises(OutputError, match="cannot be written"):
        save_bank(tmp_path / "nowhere" / "bank.npz", bank())


def test_a_bank_needs_every_kind_of_view():
    with pytest.raises(DataError, match="at least one view of each kind"):
        BankConfig(occluded=0)
