"""Decides how fast a robot speaks: slower while somebody has looked frustrated or confused for some time.

The rule is here and nowhere else. It is a rule, not a measurement: none of the seven expressions is frustration or
confusion, and a face tells either badly (Bosch et al., "Automatic detection of learning-centered affective states in
the wild", IUI 2015: area under the curve 0.63 and 0.65 with detectors made for just that).

- Frustration is unpleasant (Russell, "A circumplex model of affect", 1980): here it is anger, disgust or sadness while
  the valence is negative.
- Confusion follows surprise at what does not fit (Vogl et al., "Surprised - curious - confused", Emotion 2020), but
  surprise is over soon and confusion stays (D'Mello & Graesser, "The half-life of cognitive-affective states during
  complex learning", Cognition & Emotion 2011): here it is surprise or fear that lasts.
- Both get the same answer. Confusion that is not resolved becomes frustration (D'Mello & Graesser, "Dynamics of
  affective states during complex learning", Learning and Instruction 2012), and the two have much in common (Baker et
  al., "The confrustion constellation", Cognitive Science 2025): to take one for the other does no harm.
- The answer is mild. People prefer normal and moderately slow speech of a robot (Shimada & Kanda, "What is the
  appropriate speech rate for a communication robot?", Interaction Studies 2012).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dfer_ros.behavior.emotion_states import PersonEmotion
from dfer_ros.core.parameter import parameter

FRUSTRATED, CONFUSED = "frustrated", "confused"
NORMAL_RATE = 1.0

_FRUSTRATION = ("angry", "disgusted", "sad")
_FRUSTRATED_VALENCE = -0.2
"""Most valence of who looks frustrated."""
_CONFUSION = ("surprised", "scared")


@dataclass(frozen=True)
class SpeechRateConfig:
    """How slow, and when."""

    slow_rate: float = parameter(0.8, "Rate while it is slow, of the normal one.", "", 0.1, 1.0)
    sustained_seconds: float = parameter(
        2.0, "How long somebody must look frustrated or confused before it slows.", "s", 0.0, 60.0
    )
    recovery_seconds: float = parameter(3.0, "How long nobody must look so before it is normal again.", "s", 0.0, 600.0)


@dataclass(frozen=True)
class SpeechRate:
    """rate: of the normal one. reason: why it is not the normal one, in words, else empty."""

    rate: float = NORMAL_RATE
    reason: str = ""


def impression(person: PersonEmotion) -> str | None:
    """Return FRUSTRATED or CONFUSED for who looks so at the moment, else None."""
    if person.expression in _FRUSTRATION and person.valence <= _FRUSTRATED_VALENCE:
        return FRUSTRATED
    return CONFUSED if person.expression in _CONFUSION else None


class SpeechRateRule:
    """Follows the people in view; to be asked a few times a second."""

    def __init__(self, config: SpeechRateConfig) -> None:
        self._config = config
        self._impressions: dict[str, tuple[str, float]] = {}
        self._answer = SpeechRate()
        self._slow_until = float("-inf")

    def update(self, now: float, people: Sequence[PersonEmotion]) -> SpeechRate:
        """Return how fast to speak now (seconds), with these people in view."""
        self._impressions = {
            person.face_id: self._lasting(looks, person, now) for person in people if (looks := impression(person))
        }
        lasting = [
            f"{face_id} has looked {looks} for {now - since:.1f} s"
            for face_id, (looks, since) in self._impressions.items()
            if now - since >= self._config.sustained_seconds
        ]
        if lasting:
            self._slow_until = now + self._config.recovery_seconds
            if not self._answer.reason:
                self._answer = SpeechRate(self._config.slow_rate, lasting[0])
        # A time further ahead is one from before the clock jumped back.
        elif not 0.0 < self._slow_until - now <= self._config.recovery_seconds:
            self._answer = SpeechRate()
        return self._answer

    def _lasting(self, looks: str, person: PersonEmotion, now: float) -> tuple[str, float]:
        """Return an impression and since when (s) the person has made it, with whatever expressions."""
        before, since = self._impressions.get(person.face_id, ("", now))
        return (looks, since) if before == looks and since <= now else (looks, now - person.held_seconds)
