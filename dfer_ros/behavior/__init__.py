"""For those who write behaviours: the emotions of people as stable events, and three examples. See docs/behavior.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dfer_ros.behavior.emotion_states import EmotionStatesConfig, PersonEmotion

if TYPE_CHECKING:
    from dfer_ros.behavior.emotion_listener import EmotionListener

__all__ = ["EmotionListener", "EmotionStatesConfig", "PersonEmotion"]


def __getattr__(name: str) -> Any:
    """Import the listener when it is asked for: the rest needs no ROS."""
    if name == "EmotionListener":
        from dfer_ros.behavior.emotion_listener import EmotionListener

        return EmotionListener
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
