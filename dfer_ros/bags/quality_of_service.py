"""Quality of service between bags and the graph, by the rules of rosbag2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, HistoryPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime

_NANOSECONDS = 10**9
_INFINITE = Duration(nanoseconds=2**63 - 1)
_FOXY_INFINITE_SECONDS = 2**31 - 1
"""What some DDS implementations said for infinite when Foxy was recorded."""
_PLAYER_DEPTH, _RECORDER_DEPTH = 10, 50
"""Messages that wait for a subscriber, and for a recorder that is busy with its disk."""


def recorded_profile(offered: QoSProfile) -> Qos:
    """Return the profile of a publisher as a bag keeps it."""
    return Qos(
        QosHistory(offered.history.value),
        offered.depth,
        QosReliability(offered.reliability.value),
        QosDurability(offered.durability.value),
        _recorded_time(offered.deadline),
        _recorded_time(offered.lifespan),
        QosLiveliness(offered.liveliness.value),
        _recorded_time(offered.liveliness_lease_duration),
        offered.avoid_ros_namespace_conventions,
    )


def subscription_profile(offered: Sequence[QoSProfile]) -> QoSProfile:
    """Return the profile of a recorder, which hears all publishers of a topic."""
    reliable = all(profile.reliability == ReliabilityPolicy.RELIABLE for profile in offered)
    latched = all(profile.durability == DurabilityPolicy.TRANSIENT_LOCAL for profile in offered)
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=_RECORDER_DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def publisher_profile(recorded: Sequence[Any]) -> QoSProfile:
    """Return what a player offers for the `rosbags` profiles of a topic: theirs, where all are the same, else rclpy's.

    The same means: in all that decides whether a subscriber can hear it.
    """
    profile = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=_PLAYER_DEPTH)
    if len({_compatibility(one) for one in recorded}) != 1:
        return profile
    one = recorded[0]
    if one.reliability is QosReliability.BEST_EFFORT:
        profile.reliability = ReliabilityPolicy.BEST_EFFORT
    if one.durability is QosDurability.TRANSIENT_LOCAL:
        profile.durability = DurabilityPolicy.TRANSIENT_LOCAL
    by_hand = one.liveliness is QosLiveliness.MANUAL_BY_TOPIC
    profile.liveliness = LivelinessPolicy.MANUAL_BY_TOPIC if by_hand else LivelinessPolicy.AUTOMATIC
    profile.deadline = _duration(one.deadline)
    profile.lifespan = _duration(one.lifespan)
    profile.liveliness_lease_duration = _duration(one.liveliness_lease_duration)
    return profile


def _compatibility(profile: Any) -> tuple[object, ...]:
    return (
        profile.reliability,
        profile.durability,
        profile.deadline,
        profile.liveliness,
        profile.liveliness_lease_duration,
    )


def _recorded_time(duration: Duration) -> QosTime:
    return QosTime(*divmod(duration.nanoseconds, _NANOSECONDS))


def _duration(time: Any) -> Duration:
    if time.sec >= _FOXY_INFINITE_SECONDS:
        return _INFINITE
    return Duration(seconds=time.sec, nanoseconds=time.nsec)
