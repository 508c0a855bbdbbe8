"""Other people's still-image models, to compare with: one file each, loaded only when asked for."""

from __future__ import annotations

import importlib

from dfer_ros.core.errors import ModelError
from dfer_ros.training.experiments.peers.peer import Peer

PEERS = ("mini_xception", "big_xception")
"""Names of the modules of this package that have a function load_peer() -> Peer."""


def load_peer(name: str) -> Peer:
    """Return a peer by name. Raises ModelError with what to install where it is not there."""
    if name not in PEERS:
        raise ModelError(f"The peer '{name}' is not known: use one of {', '.join(PEERS)}.")
    peer: Peer = importlib.import_module(f"{__name__}.{name}").load_peer()
    return peer


__all__ = ["PEERS", "Peer", "load_peer"]
