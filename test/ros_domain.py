"""A ROS domain that nobody else on this machine tests in."""

import os
import socket

DOMAINS = range(1, 102)
"""Those whose ports lie below the ephemeral ports of Linux; domain 0 is what a robot has that chose none."""
_claims = []


def claim_domain():
    """Return a domain that no other process has claimed; it is this one's until it ends.

    A claim is a name among the abstract sockets of Linux: like the ports of DDS it belongs to the network namespace,
    only one process can have it, and it is gone with the process, however that ends. So every worker of pytest-xdist
    has a domain, and two test runs side by side as well. Each process begins its search elsewhere: what a killed run
    left behind may still speak in its domain.
    """
    for offset in range(len(DOMAINS)):
        domain = DOMAINS[(os.getpid() + offset) % len(DOMAINS)]
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0dfer_ros_test_domain_{domain}")
        except OSError:
            claim.close()
        else:
            _claims.append(claim)
            return domain
    raise RuntimeError(f"All ROS domains from {DOMAINS[0]} to {DOMAINS[-1]} are in use by tests: end some of them.")
