"""What `ciopt check` judges: coverage, durations and benchmarks of several jobs together."""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pytest_ciopt.adapters.coverage_data import combined, data_files
from pytest_ciopt.adapters.coverage_report import elements_of, measured
from pytest_ciopt.adapters.duet import child, sides
from pytest_ciopt.adapters.duet.child import NotMeasured
from pytest_ciopt.adapters.environment import variable
from pytest_ciopt.adapters.git import GitError
from pytest_ciopt.cli.place import Place, warn
from pytest_ciopt.core.base import Base, NoBase
from pytest_ciopt.core.gates import coverage
from pytest_ciopt.core.gates.budgets import Slowdown
from pytest_ciopt.core.gates.coverage import Measured
from pytest_ciopt.core.gates.durations import Budget
from pytest_ciopt.core.gates.verdict import Ruling, Verdict
from pytest_ciopt.core.history.totals import Totals
from pytest_ciopt.core.plan.document import digest
from pytest_ciopt.core.plan.plan import Plan
from pytest_ciopt.errors import CioptError
from pytest_ciopt.report.lines import count
from pytest_ciopt.usecases import checking, guarding
from pytest_ciopt.usecases.benching import GATE, Ground
from pytest_ciopt.usecases.duet import Measure
from pytest_ciopt.usecases.guarding import Rules, judged
from pytest_ciopt.usecases.joining import put_together

COVERAGE = ("cov_fail_under", "patch_fail_under", "cov_no_drop")
"""Options that ask something of coverage."""
_NO_DATA = "no data file of coverage.py is there"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked."""

    coverage: Rules
    slowdown: Slowdown | None
    budgets: tuple[Budget, ...]
    explicit: frozenset[str]
    """Flags of the command line that are given."""

    @property
    def anything(self) -> bool:
        """Whether there is any gate."""
        return bool(self.coverage.gates or self.slowdown or self.budgets)


@dataclass(frozen=True, slots=True)
class Carried:
    """Whether all ran that should."""

    plan: Plan | None
    problem: str | None
    """Why a plan that is given was not carried out."""

    @property
    def partial(self) -> str | None:
        """Why not all tests ran."""
        if self.problem is None and self.plan is not None and self.plan.base:
            return coverage.LEFT_OUT
        return self.problem


@dataclass(frozen=True, slots=True)
class Found:
    """What comes of it."""

    verdicts: list[Verdict]
    notes: tuple[str, ...] = ()
    total: Totals | None = None
    """What all tests cover."""
    kept: bytes = b""
    """Lines of a segment, see `usecases.joining.Put`."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be judged, by what, and where."""

    paths: Sequence[Path]
    """What jobs left: files, and folders with them."""
    asked: Asked
    carried: Carried
    here: Place
    root: str
    """pytest's rootdir, from the top."""
    base: Base | NoBase | None


# --- coverage ------------------------------------------------------------------------------------


def covering(case: Case) -> Found:
    """What is told of coverage. Raises: CioptError where that is asked for and nothing is there."""
    asked, carried, here = case.asked, case.carried, case.here
    rules = asked.coverage
    if not rules.gates:
        return Found([])
    files = data_files(case.paths)
    if not files and (
        asked.explicit.intersection(COVERAGE) or not (asked.slowdown or asked.budgets)
    ):
        raise CioptError(_NO_DATA, "Its name has to have `coverage` in it.")
    if not files:
        return Found([Verdict(gate, Ruling.UNKNOWN, _NO_DATA) for gate in rules.gates])
    notes: tuple[str, ...] = ()
    partial, kept = carried.partial, b""
    lacking = None if carried.problem else _lacking(carried.plan, files)
    with combined(files) as whole:
        found: Measured = measured(whole, here.top)
        covered, branches = elements_of(whole, here.top)
    if lacking is not None:
        partial = lacking
    elif carried.plan is not None and carried.problem is None and partial is not None:
        put = put_together(carried.plan, case.paths, covered, here, branches=branches)
        found, partial, notes, kept = put.measured or found, put.partial, put.notes, put.kept
    where = guarding.Place(here.git, here.state, case.base)
    partial_patch = carried.problem or lacking or _other_base(carried.plan, case.base)
    verdicts = judged(rules, found, where, partial, partial_patch)
    return Found(verdicts, notes, None if partial else coverage.total(found), kept)


def _lacking(plan: Plan | None, files: Sequence[Path]) -> str | None:
    """Why not all shards can have left what they measured: each leaves a file at least."""
    if plan is None:
        return None
    wanted = sum(bool(plan.named(number)) for number in range(1, plan.shards + 1))
    if len(files) >= wanted:
        return None
    return f"{count(wanted, 'shard')} ran tests, and {count(len(files), 'data file')} is there"


def _other_base(plan: Plan | None, base: Base | NoBase | None) -> str | None:
    """Why shards of a selection may not have run all that can cover what changed."""
    if plan is None or plan.base is None or not isinstance(base, Base) or base.commit == plan.base:
        return None
    return f"the plan is of the change since {plan.base[:10]}, and not since {base.commit[:10]}"


# --- durations and benchmarks --------------------------------------------------------------------


def timed(case: Case) -> list[Verdict]:
    """Verdicts on durations and benchmarks. Raises: CioptError for a segment that is damaged."""
    asked, carried, here = case.asked, case.carried, case.here
    if not (asked.slowdown or asked.budgets):
        return []
    done = checking.jobs(case.paths, _counts(carried.plan, here))
    verdicts = checking.lasting(asked.budgets, done, here.state, carried.partial)
    if asked.slowdown is None:
        return verdicts
    if carried.problem is not None:
        return [*verdicts, Verdict(GATE, Ruling.UNKNOWN, carried.problem)]
    ground = Ground(here.git, here.state, case.root, case.base)
    anew = "bench_fail" in asked.explicit
    opening = _Opening(here, case.root)
    told = checking.benchmarks(asked.slowdown, done, ground, opening, _tell, anew=anew)
    if not told and anew:
        why = "no benchmark was run"
        ruling = Ruling.UNKNOWN
        if carried.partial is not None:
            ruling, why = Ruling.PASS, "the change can affect no benchmark"
        told = [Verdict(GATE, ruling, why)]
    return [*verdicts, *told]


def _counts(plan: Plan | None, here: Place) -> checking.Counts:
    """Runs of the plan; without one those of what is checked out."""
    if plan is not None:
        known = digest(plan)
        return lambda start: start.plan == known
    commit = None if here.git is None else here.git.commit("HEAD")
    return lambda start: start.commit == commit


class _Opening:
    """Opens a duet of this tree with a commit: of benchmarks that other machines measured."""

    def __init__(self, here: Place, root: str) -> None:
        self._here, self._root = here, root

    def __call__(self, commit: str) -> AbstractContextManager[Measure]:
        """Raises: NotMeasured, GitError, OSError."""
        if find_spec("pytest_benchmark") is None:
            raise NotMeasured("pytest-benchmark is not installed where `ciopt check` runs")
        if self._here.git is None:  # asked before
            raise GitError("this is no git repository")
        entries = (variable("PYTHONPATH") or "").split(os.pathsep)
        here = child.Place(self._here.top, self._root, path=tuple(filter(None, entries)))
        return sides.opened(self._here.git, commit, here)


def _tell(line: str) -> None:
    warn([line])
