"""`ciopt check`: the gates of a run, for what several jobs did together."""

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pytest_ciopt.adapters import pytest_config
from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.coverage_data import combined, data_files, project_data
from pytest_ciopt.adapters.coverage_report import elements_of, measured
from pytest_ciopt.adapters.duet import child, sides
from pytest_ciopt.adapters.duet.child import NotMeasured
from pytest_ciopt.adapters.environment import current_folder, environ, variable
from pytest_ciopt.adapters.git import GitError
from pytest_ciopt.adapters.paths import root_of, write_text
from pytest_ciopt.adapters.pytest_config import PytestConfig
from pytest_ciopt.cli.place import Place, place, print_json, print_lines, warn
from pytest_ciopt.cli.verify import complete_plan, findings, told
from pytest_ciopt.core.base import Base, NoBase
from pytest_ciopt.core.gates import coverage
from pytest_ciopt.core.gates.budgets import Slowdown, slowdown
from pytest_ciopt.core.gates.coverage import Measured
from pytest_ciopt.core.gates.durations import Budget, budgets
from pytest_ciopt.core.gates.verdict import Ruling, Verdict
from pytest_ciopt.core.history.records import Judged, RunEnd
from pytest_ciopt.core.history.totals import Totals
from pytest_ciopt.core.plan.document import digest
from pytest_ciopt.core.plan.plan import Plan
from pytest_ciopt.errors import CioptError
from pytest_ciopt.report import gates
from pytest_ciopt.report.lines import count
from pytest_ciopt.settings import Settings
from pytest_ciopt.usecases import checking, guarding
from pytest_ciopt.usecases.benching import GATE, Ground
from pytest_ciopt.usecases.decide import base_of
from pytest_ciopt.usecases.duet import Measure
from pytest_ciopt.usecases.guarding import Rules, judged, said
from pytest_ciopt.usecases.joining import put_together
from pytest_ciopt.usecases.remember import About, begin

_FLAGS = ("cov_fail_under", "patch_fail_under", "cov_no_drop")
_NO_DATA = "no data file of coverage.py is there"


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.add_argument("--cov-fail-under", metavar="PERCENT", help="what all must cover")
    parser.add_argument("--patch-fail-under", metavar="PERCENT", help="what of changed lines")
    parser.add_argument(
        "--cov-no-drop",
        metavar="POINTS",
        help="fail when less is covered than the base did, by more than POINTS, for example 0",
    )
    parser.add_argument(
        "--bench-fail",
        metavar="SLOWDOWN",
        help="fail when a benchmark is slower than in the base, by more than SLOWDOWN, for "
        "example 5%%",
    )
    parser.add_argument("--base", metavar="REF", help="what the change is compared with")
    parser.add_argument(
        "--plan", type=Path, metavar="FILE", help="prove first that its shards ran everything"
    )
    parser.add_argument(
        "--code-quality",
        type=Path,
        metavar="FILE",
        help="write the lines that failed gates name as a code quality report of GitLab",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        help="data files of coverage.py and segments, or folders with them",
    )
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked."""

    coverage: Rules
    slowdown: Slowdown | None
    budgets: tuple[Budget, ...]
    explicit: frozenset[str]
    """Flags of the command line that are given."""

    @property
    def anything(self) -> bool:
        return bool(self.coverage.gates or self.slowdown or self.budgets)


@dataclass(frozen=True, slots=True)
class _Carried:
    """Whether all ran that should."""

    plan: Plan | None
    problem: str | None
    """Why a plan that is given was not carried out."""

    @property
    def partial(self) -> str | None:
        """Why not all tests ran."""
        if self.problem is None and self.plan is not None and self.plan.base:
            return "only the tests ran that the change can affect"
        return self.problem


@dataclass(frozen=True, slots=True)
class _Found:
    """What comes of it."""

    verdicts: list[Verdict]
    notes: tuple[str, ...] = ()
    total: Totals | None = None
    """What all tests cover."""
    kept: bytes = b""
    """Lines of a segment, see `usecases.joining.Put`."""


def run(options: argparse.Namespace) -> int:
    """Exit code 1 when a gate fails, or the plan was not carried out."""
    here = place()
    config = pytest_config.find(current_folder(), here.top)
    asked = _asked(options, config)
    if not asked.anything:
        raise CioptError(
            "nothing is asked", "Give a limit, here or in the configuration of pytest."
        )
    carried = _carried(options, here)
    base = _base(options, here)
    found = _covering(options, asked, carried, here, base)
    verdicts = [*found.verdicts, *_timed(options, asked, carried, here, config, base)]
    failed = carried.problem is not None or any(one.ruling is Ruling.FAIL for one in verdicts)
    _keep(options, here, _Found(verdicts, found.notes, found.total, found.kept), failed=failed)
    if options.code_quality is not None:
        write_text(options.code_quality, gates.code_quality(verdicts))
    if options.json:
        print_json([_plain(one) for one in verdicts])
    else:
        print_lines((*found.notes, *_lines(verdicts)))
        print_lines(gates.annotations(verdicts, environ()))
    return 1 if failed else 0


def _asked(options: argparse.Namespace, config: PytestConfig) -> _Asked:
    texts = ("", *(config.text(f"ciopt_{name}") for name in _FLAGS[1:]))
    values = (_said(options, name, text) for name, text in zip(_FLAGS, texts, strict=True))
    rules = guarding.rules(config.lines("ciopt_cov_fail_under"), *values)
    slow = _said(options, "bench_fail", config.text("ciopt_bench_fail"))
    given = frozenset(
        name for name in (*_FLAGS, "bench_fail") if getattr(options, name) is not None
    )
    lines = config.lines("ciopt_duration_budget")
    return _Asked(rules, slow and slowdown(*slow), budgets(lines), given)


def _said(options: argparse.Namespace, name: str, text: str) -> guarding.Said | None:
    return said(getattr(options, name), f"--{name.replace('_', '-')}", f"ciopt_{name}", text)


def _carried(options: argparse.Namespace, here: Place) -> _Carried:
    """Proves the plan, where one is given, and tells what is not proved.

    Raises: CioptError for a plan that is of something else.
    """
    if options.plan is None:
        return _Carried(None, None)
    plan = complete_plan(options.plan)
    commit = None if here.git is None else here.git.commit("HEAD")
    if plan.commit is not None and commit is not None and plan.commit != commit:
        raise CioptError(
            f"the plan is of commit {plan.commit[:10]}, and {commit[:10]} is checked out",
            "Check out what the shards ran on.",
        )
    found = findings(plan, [path for path in options.paths if path.is_dir()])
    if all(one.proved for one in found.values()):
        return _Carried(plan, None)
    if not options.json:
        for name, one in found.items():
            print_lines(told(plan, one, name))
    return _Carried(plan, "the shards did not run what was planned")


def _base(options: argparse.Namespace, here: Place) -> Base | NoBase | None:
    if here.git is None:
        return None
    configured = variable("CIOPT_BASE") or None
    try:
        return base_of(here.git, Settings(typed_base=options.base, configured_base=configured))
    except GitError as error:
        return NoBase(error.what, error.mend)


# --- coverage ------------------------------------------------------------------------------------


def _covering(
    options: argparse.Namespace,
    asked: _Asked,
    carried: _Carried,
    here: Place,
    base: Base | NoBase | None,
) -> _Found:
    rules = asked.coverage
    if not rules.gates:
        return _Found([])
    files = data_files(options.paths)
    if not files and (asked.explicit & set(_FLAGS) or not (asked.slowdown or asked.budgets)):
        raise CioptError(_NO_DATA, "Its name has to have `coverage` in it.")
    if not files:
        return _Found([Verdict(gate, Ruling.UNKNOWN, _NO_DATA) for gate in rules.gates])
    notes: tuple[str, ...] = ()
    partial, kept = carried.partial, b""
    lacking = None if carried.problem else _lacking(carried.plan, files)
    with combined(files) as whole:
        found: Measured = measured(whole, here.top)
        covered, branches = elements_of(whole, here.top)
    if lacking is not None:
        partial = lacking
    elif carried.plan is not None and carried.problem is None and partial is not None:
        put = put_together(carried.plan, options.paths, covered, here, branches=branches)
        found, partial, notes, kept = put.measured or found, put.partial, put.notes, put.kept
    where = guarding.Place(here.git, here.state, base)
    partial_patch = carried.problem or lacking or _other_base(carried.plan, base)
    verdicts = judged(rules, found, where, partial, partial_patch)
    return _Found(verdicts, notes, None if partial else coverage.total(found), kept)


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


def _timed(
    options: argparse.Namespace,
    asked: _Asked,
    carried: _Carried,
    here: Place,
    config: PytestConfig,
    base: Base | NoBase | None,
) -> list[Verdict]:
    if not (asked.slowdown or asked.budgets):
        return []
    done = checking.jobs(options.paths, _counts(carried.plan, here))
    verdicts = checking.lasting(asked.budgets, done, here.state, carried.partial)
    if asked.slowdown is None:
        return verdicts
    if carried.problem is not None:
        return [*verdicts, Verdict(GATE, Ruling.UNKNOWN, carried.problem)]
    root = root_of(config.rootdir, here.top)
    ground = Ground(here.git, here.state, root, base)
    anew = "bench_fail" in asked.explicit
    opening = _Opening(here, root)
    told = checking.benchmarks(asked.slowdown, done, ground, opening, _tell, anew=anew)
    if not told and "bench_fail" in asked.explicit:
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


# --- what is left and said -----------------------------------------------------------------------


def _keep(options: argparse.Namespace, here: Place, found: _Found, *, failed: bool) -> None:
    """As a run without tests of its own, so that later ones can be compared with it."""
    base = complete_plan(options.plan).base if found.kept else None
    made = (options.plan, options.code_quality)
    own = project_data() if found.total is not None or found.kept else None
    given = (*options.paths, *(path for path in (*made, own) if path is not None))
    state = str(here.state.path)
    about = About(rootpath=here.top, arguments=(), state_dir=state, base=base, given=given)
    writer = begin(about).writer
    writer.append(found.kept)
    verdicts = tuple(Judged(one.gate, one.ruling.value, one.why) for one in found.verdicts)
    writer.finish(RunEnd(now(), int(failed), 0, coverage=found.total, verdicts=verdicts))
    writer.close()


def _lines(verdicts: list[Verdict]) -> Iterator[str]:
    for verdict in verdicts:
        yield from gates.lines(verdict)


def _plain(verdict: Verdict) -> dict[str, object]:
    return {
        "gate": verdict.gate,
        "ruling": verdict.ruling.value,
        "why": verdict.why,
        "value": verdict.value,
        "limit": verdict.limit,
        "not_covered": {gap.path: list(gap.lines) for gap in verdict.gaps},
    }
