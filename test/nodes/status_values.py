"""The values of a diagnostic status."""


def values(status):
    """Return the values by their keys."""
    return {pair.key: pair.value for pair in status.values}
