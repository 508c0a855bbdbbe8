"""Numbers and times as people read them."""

from __future__ import annotations

MISSING = "\u2013"
_SPACE = "\u00a0"
"""Between a number and its unit, where no line ends."""
_UNITS = (("d", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 0.001))


def clock(seconds: float, digits: int = 0) -> str:
    """Return a time from the begin: 0:07, 12:34 or 1:02:03, with digits after the second if asked for."""
    scale = 10**digits
    whole, rest = divmod(round(abs(seconds) * scale), scale)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
    return ("-" if seconds < 0 and whole + rest else "") + text + (f".{rest:0{digits}}" if digits else "")


def clock_units(seconds: float) -> str:
    """Return the units of clock() where the latest time is `seconds`: min:s, or h:min:s."""
    return "min:s" if seconds < 3600 else "h:min:s"


def length(seconds: float) -> str:
    """Return how long something took: 0.35 s, 12.3 s, 4 min 05 s, 1 h 02 min or 12 d 07 h."""
    if seconds < 9.995:
        return f"{seconds:.2f}{_SPACE}s"
    if seconds < 59.95:
        return f"{seconds:.1f}{_SPACE}s"
    if seconds < 3599.5:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes}{_SPACE}min {rest:02}{_SPACE}s"
    if seconds < 359_970:
        hours, minutes = divmod(round(seconds / 60), 60)
        return f"{hours}{_SPACE}h {minutes:02}{_SPACE}min"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days:,}{_SPACE}d {hours:02}{_SPACE}h"


def short_length(seconds: float) -> str:
    """Return a time that is short as a rule: 33.3 ms, from a second on as length()."""
    return f"{1000 * seconds:.1f}{_SPACE}ms" if abs(seconds) < 0.99995 else length(seconds)


def pace(interval: float) -> str:
    """Return the rate of what comes every `interval` seconds: 30.0 Hz, or one every 1 h 00 min."""
    return f"{1 / interval:.1f}{_SPACE}Hz" if interval <= 1 else f"one every {length(interval)}"


def time_unit(seconds: float) -> tuple[str, float]:
    """Return the unit that is fit for times up to `seconds`, and how many seconds it has."""
    return next(((name, size) for name, size in _UNITS if seconds >= 2 * size), _UNITS[-1])


def percent(share: float) -> str:
    """Return a share 0..1: 64 %, and <1 % or >99 % for what is not quite none or all."""
    if 0 < share < 0.01:
        return f"<1{_SPACE}%"
    if 0.99 < share < 1:
        return f">99{_SPACE}%"
    return f"{share:.0%}".replace("%", f"{_SPACE}%")


def in_percent(share: float) -> str:
    """Return a share 0..1 in percent with one digit, without the sign: 64.0."""
    return f"{100 * share:.1f}"


def two_in_percent(first: float, second: float) -> str:
    """Return two shares in percent: 64.0 / 35.5."""
    return f"{in_percent(first)} / {in_percent(second)}"


def number(value: float | None, digits: int = 2) -> str:
    """Return a number with digits after the point, a dash for None."""
    return MISSING if value is None else f"{value:.{digits}f}"


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count and its noun: 1 person, 1,200 frames."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listing(parts: list[str]) -> str:
    """Return a, b and c."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else ""
