"""The machine that durations are measured on, and the clocks that measure them."""

import os
import platform
import sys
from contextlib import suppress
from functools import cache
from time import process_time as busy

from pytest_ciopt.core.history.rounds import Machine

__all__ = ["busy", "given_up", "machine"]

_LINUX = "/proc/cpuinfo"
_NAME = "model name"


@cache
def machine() -> Machine:
    """As pytest-benchmark names it, but without starting a process."""
    told = f"{platform.system()}-{platform.machine()}".lower()
    return Machine(_processor() or platform.processor(), os.cpu_count() or 0, told)


def given_up() -> int | None:
    """How often this process gave up the processor by itself so far, to wait for something; what
    other processes take from it does not count. None where the system does not tell."""
    if sys.platform == "win32":
        return None
    from resource import RUSAGE_SELF, getrusage

    return getrusage(RUSAGE_SELF).ru_nvcsw


def _processor() -> str:
    with suppress(OSError), open(_LINUX, encoding="utf-8", errors="replace") as stream:
        for line in stream:
            name, _, value = line.partition(":")
            if name.strip() == _NAME:
                return value.strip()
    return ""
