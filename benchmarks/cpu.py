"""Measures what a command costs: processor time with its children, and peak memory.

Processor time and not the clock, since machines are shared; contenders take turns, since a shared
machine is faster in one minute than in the next. Ratios count.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Timer

_PATIENCE = 300
"""Seconds after which a command is killed."""

_DROPPED = ("CIOPT_", "GIT_", "PYTEST_", "COVERAGE_", "RUFF_")
_DROPPED_NAMES = frozenset(("CI", "TF_BUILD", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"))


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run, or the medians of several."""

    cpu: float
    """Seconds, user and system, children included."""
    peak: float
    """Megabytes (10**6 bytes) of the largest process."""
    code: int = 0
    """Exit code."""
    told: str = ""
    """Standard error."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A command, and what has to be done before each of its runs."""

    command: Sequence[str]
    before: Callable[[], object] = lambda: None
    accepts: frozenset[int] = frozenset((0,))


class Failed(Exception):
    """A command ended with an exit code that makes its figures worthless."""


def environment(cache: Path) -> dict[str, str]:
    """The environment of every command: that of a person's shell, not of a CI service.

    Python keeps its bytecode in the cache folder, as it would beside an installed package.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_DROPPED) and name not in _DROPPED_NAMES
    }
    return {**kept, "PYTHONPYCACHEPREFIX": str(cache / "bytecode")}


def run(
    command: Sequence[str], folder: Path, environ: Mapping[str, str], both: bool = False
) -> Cost:
    """Runs a command once; with `both`, `told` holds what it says on standard output, too.

    The peak is never less than this process's own, which is small.
    """
    with tempfile.TemporaryFile() as told:
        output = told if both else subprocess.DEVNULL
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=output, stderr=told)
        patience = Timer(_PATIENCE, process.kill)
        patience.start()
        _, status, usage = os.wait4(process.pid, 0)
        patience.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        text = told.read().decode(errors="replace")
    unit = 1 if sys.platform == "darwin" else 1024
    spent = usage.ru_utime + usage.ru_stime
    return Cost(spent, usage.ru_maxrss * unit / 1e6, process.returncode, text)


def in_turns(
    contenders: Mapping[str, Contender],
    rounds: int,
    folder: Path,
    environ: Mapping[str, str],
) -> dict[str, list[Cost]]:
    """Costs of each contender over `rounds`, in each of which every one runs once.

    Raises: Failed naming the command and what it said.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            contender.before()
            cost = run(contender.command, folder, environ)
            if cost.code not in contender.accepts:
                raise Failed(f"{name} ended with exit code {cost.code}: {cost.told[-500:]}")
            costs[name].append(cost)
    return costs


def middle(costs: Sequence[Cost]) -> Cost:
    """Medians, and what the last run said."""
    cpu, peak = median(cost.cpu for cost in costs), median(cost.peak for cost in costs)
    return Cost(cpu, peak, told=costs[-1].told)
