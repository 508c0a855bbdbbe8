"""Ends the process from outside of Python, with an exit code, where what is called last may never come back."""

from __future__ import annotations

import ctypes
import faulthandler
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_CLOCK_MONOTONIC = 1
_SIGEV_THREAD = 2
_TELL_SECONDS = 0.5


class _SignalEvent(ctypes.Structure):
    """Struct sigevent of Linux: have a thread call function(value)."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("function", ctypes.c_void_p),
        ("rest", ctypes.c_char * 40),
    )


class _TimerSetting(ctypes.Structure):
    """Struct itimerspec: the seconds and nanoseconds between two times, and until the first."""

    _fields_ = tuple((name, ctypes.c_long) for name in ("interval", "interval_ns", "seconds", "nanoseconds"))


@contextmanager
def exit_after(seconds: int, code: int) -> Iterator[None]:
    """Leave the process with an exit code if the `with` does not end in time, half a second after its stacks are told.

    A signal or thread of Python comes to nothing while a library keeps Python's lock, and faulthandler exits with 1
    only; so a timer of POSIX has a thread of the C library call _exit. C libraries without one only tell the stacks.
    """
    with suppress(OSError, ValueError):  # whoever read it is gone
        sys.stdout.flush()
    library, timer = ctypes.CDLL(None), ctypes.c_void_p()
    event = _SignalEvent(value=code, notify=_SIGEV_THREAD, function=ctypes.cast(library._exit, ctypes.c_void_p).value)
    known = hasattr(library, "timer_create")
    armed = known and library.timer_create(_CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(timer)) == 0
    try:
        faulthandler.dump_traceback_later(seconds - _TELL_SECONDS)
        if armed:
            library.timer_settime(timer, 0, ctypes.byref(_TimerSetting(seconds=seconds)), None)
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        if armed:
            library.timer_delete(timer)
