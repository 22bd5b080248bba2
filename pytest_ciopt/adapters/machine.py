"""The machine that durations are measured on, and the clocks that measure them."""

import os
import platform
from contextlib import suppress
from functools import cache
from time import process_time as busy

from pytest_ciopt.core.history.rounds import Machine

__all__ = ["busy", "machine"]

_LINUX = "/proc/cpuinfo"
_NAME = "model name"


@cache
def machine() -> Machine:
    """As pytest-benchmark names it, but without starting a process."""
    told = f"{platform.system()}-{platform.machine()}".lower()
    return Machine(_processor() or platform.processor(), os.cpu_count() or 0, told)


def _processor() -> str:
    with suppress(OSError), open(_LINUX, encoding="utf-8", errors="replace") as stream:
        for line in stream:
            name, _, value = line.partition(":")
            if name.strip() == _NAME:
                return value.strip()
    return ""
