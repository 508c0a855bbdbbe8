"""How the figures are defined, with the numbers that the code works with."""

from __future__ import annotations

from dfer_ros.core.settled_expression import SettleConfig
from dfer_ros.recordings.blends import BlendConfig
from dfer_ros.recordings.emotion_track import RecordedEmotions
from dfer_ros.recordings.episodes import EpisodeConfig
from dfer_ros.report.wording import length, percent


def definitions_section(recording: RecordedEmotions) -> str:
    """Return the section."""
    episode, blend, settle = EpisodeConfig(), BlendConfig(), SettleConfig()
    terms = {
        "In view": f"A stretch ends where the next answer comes more than {length(recording.gap_seconds)} later.",
        "Unknown": "No expression was likely enough to be named, or the face could not be recognised. Its confidence "
        "is that of the most likely one.",
        "Expression": "A stretch in which one expression other than neutral is named. Neutral, unknown or missing "
        f"frames of up to {episode.bridge_seconds:g} s inside do not end it.",
        "Apex": "The frame of the highest intensity while it is named, of those in the phase apex if there are any.",
        "Onset and offset": "The last frame before and the first one after whose intensity is within "
        f"{percent(episode.rise_share)} of the way from the lowest found there to that of the apex. Looked for up to "
        f"{episode.reach_seconds:g} s away, to a frame in the phase neutral, to another expression, or to the edge of "
        "the view. “Before” and “after” say that begin or end was out of view.",
        "Onset speed": f"Rise of the intensity from the onset to {percent(1 - episode.rise_share)} of the way to the "
        "apex, per second.",
        "What turned into what": f"An expression counts when it was named for {settle.settle_seconds:g} s without a "
        "break, and takes the place of the one that counted before. The time is from the last frame that named the old "
        f"one to the first that named the new one, at most {settle.transition_seconds:g} s.",
        "Two at once": f"At least {blend.least_seconds:g} s in which the two most likely expressions other than "
        f"neutral each have {percent(blend.least_probability)} or more. It may be a mixed expression, or one that the "
        "model takes for either.",
        "Valence and arousal": "Expected values over the seven probabilities, from &minus;1 (unpleasant, calm) to 1 "
        "(pleasant, excited).",
        "Time": "An answer holds until the next one. All shares are of the time in view.",
    }
    entries = "".join(f"<div><dt>{term}</dt><dd>{words}</dd></div>" for term, words in terms.items())
    return (
        f'<section id="definitions"><h2>How to read this</h2><dl class="terms">{entries}</dl><p class="caution">An '
        "expression is not a feeling: a model has named what a face shows, with the errors and biases of the data it "
        "learned from. This page holds personal data; do not base decisions about people on it.</p></section>"
    )
