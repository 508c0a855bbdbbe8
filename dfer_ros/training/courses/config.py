"""What is simulated on courses of an expression, each ingredient with a switch of its own."""

from __future__ import annotations

from dataclasses import dataclass

from dfer_ros.core.errors import TrainingError


@dataclass(frozen=True)
class CoursesConfig:
    """Switches, so that an ablation can tell what each ingredient brings, and two shares.

    courses: neutral, onset, apex and offset; without, every expression is there all the time.
    partial_intensity: apexes that are not the full expression. swelling: an apex that comes and goes a little.
    intermediate_stills: on the way to the apex, stills that annotators could not agree about.
    identity: the neutral face keeps a part of what sets the apex still apart from its class.
    view_changes: light, pose and resolution change from moment to moment.
    speech: mouth shapes of 60 to 250 ms that look like other expressions. blinks: closed eyes.
    dropped_frames: frames that are missing, alone or in gaps. uneven_rates: 5 to 60 Hz, unsteady; without, 30 Hz.
    occlusion: a part of the face is covered for a while. pose_outliers: one to three frames that show something else.
    low_quality: blurred or coarse frames that a low quality goes with. short_histories: faces that were just found.
    neutral_share: of windows, 0..1, in which nothing is expressed.
    named_intensity: 0..1, from which on the label of a rising expression is the expression.
    """

    courses: bool = True
    partial_intensity: bool = True
    swelling: bool = True
    intermediate_stills: bool = True
    identity: bool = True
    view_changes: bool = True
    speech: bool = True
    blinks: bool = True
    dropped_frames: bool = True
    uneven_rates: bool = True
    occlusion: bool = True
    pose_outliers: bool = True
    low_quality: bool = True
    short_histories: bool = True
    neutral_share: float = 0.12
    named_intensity: float = 0.3

    def __post_init__(self) -> None:
        if not 0 <= self.neutral_share <= 1 or not 0 <= self.named_intensity <= 1:
            raise TrainingError("courses need a neutral_share and a named_intensity of 0 to 1.")


INGREDIENTS = tuple(name for name, kind in CoursesConfig.__annotations__.items() if kind == "bool")
"""The names of the switches."""
