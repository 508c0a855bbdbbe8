import pytest
from made_bags import offered
from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy
from rosbags.interfaces import QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime

from dfer_ros.bags.quality_of_service import publisher_profile, recorded_profile, subscription_profile

BEST_EFFORT, LATCHED = offered(QosReliability.BEST_EFFORT), offered(durability=QosDurability.TRANSIENT_LOCAL)
INFINITE = Duration(nanoseconds=2**63 - 1)


def policies(profile):
    return profile.reliability, profile.durability


@pytest.mark.parametrize(
    ("recorded", "reliability", "durability"),
    [
        ([], ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE),
        ([offered()], ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE),
        ([BEST_EFFORT, BEST_EFFORT], ReliabilityPolicy.BEST_EFFORT, DurabilityPolicy.VOLATILE),
        ([LATCHED], ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL),
        ([BEST_EFFORT, offered()], ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE),
        ([offered(QosReliability.UNKNOWN)], ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE),
    ],
)
def test_a_player_offers_what_all_publishers_offered(recorded, reliability, durability):
    profile = publisher_profile(recorded)
    assert policies(profile) == (reliability, durability)
    assert profile.depth == 10


def test_profiles_that_differ_in_what_nobody_feels_are_the_same():
    deep = BEST_EFFORT._replace(history=QosHistory.KEEP_LAST, depth=7, lifespan=QosTime(3, 0))
    assert publisher_profile([BEST_EFFORT, deep]).reliability == ReliabilityPolicy.BEST_EFFORT


def test_deadlines_and_leases_are_offered_again():
    recorded = offered()._replace(
        deadline=QosTime(1, 5), liveliness_lease_duration=QosTime(2, 0), liveliness=QosLiveliness.MANUAL_BY_TOPIC
    )
    profile = publisher_profile([recorded])
    assert profile.deadline == Duration(seconds=1, nanoseconds=5)
    assert profile.liveliness_lease_duration == Duration(seconds=2)
    assert profile.liveliness == LivelinessPolicy.MANUAL_BY_TOPIC
    assert profile.lifespan == INFINITE


def test_what_foxy_wrote_for_infinite_is_infinite():
    assert publisher_profile([offered()._replace(deadline=QosTime(2**31 - 1, 2**32 - 1))]).deadline == INFINITE


@pytest.mark.parametrize(
    ("publishers", "reliability", "durability"),
    [
        (["RELIABLE VOLATILE"], ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE),
        (["RELIABLE VOLATILE", "BEST_EFFORT VOLATILE"], ReliabilityPolicy.BEST_EFFORT, DurabilityPolicy.VOLATILE),
        (["RELIABLE TRANSIENT_LOCAL"] * 2, ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL),
        (["RELIABLE TRANSIENT_LOCAL", "RELIABLE VOLATILE"], ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE),
    ],
)
def test_a_recorder_asks_for_what_every_publisher_gives(publishers, reliability, durability):
    profiles = []
    for words in publishers:
        reliable, durable = words.split()
        profiles.append(
            QoSProfile(depth=1, reliability=ReliabilityPolicy[reliable], durability=DurabilityPolicy[durable])
        )
    assert policies(subscription_profile(profiles)) == (reliability, durability)


@pytest.mark.parametrize("recorded", [offered(), BEST_EFFORT, LATCHED])
def test_what_was_recorded_is_recorded_again_the_same(recorded):
    """But for the history, which discovery does not tell."""
    again = recorded_profile(publisher_profile([recorded]))
    assert again._replace(history=recorded.history, depth=recorded.depth) == recorded
