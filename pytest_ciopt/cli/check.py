"""`ciopt check`: the gates of a run, for what several jobs did together."""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pytest_ciopt.adapters import pytest_config
from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.coverage_data import project_data
from pytest_ciopt.adapters.environment import current_folder, environ, variable
from pytest_ciopt.adapters.git import GitError
from pytest_ciopt.adapters.paths import write_text
from pytest_ciopt.adapters.pytest_config import PytestConfig
from pytest_ciopt.cli.judging import COVERAGE, Asked, Carried, Case, Found, covering, timed
from pytest_ciopt.cli.place import Place, place, print_json, print_lines, warn
from pytest_ciopt.cli.verify import add_one_environment, complete_plan, findings, told
from pytest_ciopt.core.base import Base, NoBase
from pytest_ciopt.core.gates.budgets import slowdown
from pytest_ciopt.core.gates.durations import budgets
from pytest_ciopt.core.gates.verdict import Ruling, Verdict
from pytest_ciopt.core.history.records import Judged, RunEnd
from pytest_ciopt.errors import CioptError, reason
from pytest_ciopt.report import gates
from pytest_ciopt.settings import Settings
from pytest_ciopt.usecases import guarding
from pytest_ciopt.usecases.decide import base_of
from pytest_ciopt.usecases.guarding import said
from pytest_ciopt.usecases.remember import About, begin


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
    add_one_environment(parser)
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
    case = Case(options.paths, asked, carried, here, here.root, _base(options, here))
    found = covering(case)
    verdicts = [*found.verdicts, *timed(case)]
    failed = carried.problem is not None or any(one.ruling is Ruling.FAIL for one in verdicts)
    _keep(options, case, replace(found, verdicts=verdicts), failed=failed)
    if options.code_quality is not None:
        _write(options.code_quality, gates.code_quality(verdicts))
    if options.json:
        print_json([_plain(one) for one in verdicts])
    else:
        print_lines((*found.notes, *_lines(verdicts)))
        print_lines(gates.annotations(verdicts, environ()))
    return 1 if failed else 0


def _asked(options: argparse.Namespace, config: PytestConfig) -> Asked:
    texts = ("", *(config.text(f"ciopt_{name}") for name in COVERAGE[1:]))
    values = (_said(options, name, text) for name, text in zip(COVERAGE, texts, strict=True))
    rules = guarding.rules(config.lines("ciopt_cov_fail_under"), *values)
    slow = _said(options, "bench_fail", config.text("ciopt_bench_fail"))
    given = frozenset(
        name for name in (*COVERAGE, "bench_fail") if getattr(options, name) is not None
    )
    lines = config.lines("ciopt_duration_budget")
    return Asked(rules, slow and slowdown(*slow), budgets(lines), given)


def _said(options: argparse.Namespace, name: str, text: str) -> guarding.Said | None:
    return said(getattr(options, name), f"--{name.replace('_', '-')}", f"ciopt_{name}", text)


def _carried(options: argparse.Namespace, here: Place) -> Carried:
    """Proves the plan, where one is given, and tells what is not proved.

    Raises: CioptError for a plan that is of something else.
    """
    if options.plan is None:
        return Carried(None, None)
    plan = complete_plan(options.plan)
    commit = None if here.git is None else here.git.commit("HEAD")
    if plan.commit is not None and commit is not None and plan.commit != commit:
        raise CioptError(
            f"the plan is of commit {plan.commit[:10]}, and {commit[:10]} is checked out",
            "Check out what the shards ran on.",
        )
    folders = [path for path in options.paths if path.is_dir()]
    found = findings(plan, folders, by_key=options.one_environment)
    if all(one.proved for one in found.values()):
        return Carried(plan, None)
    if not options.json:
        print_lines(told(plan, found))
    return Carried(plan, "the shards did not run what was planned")


def _base(options: argparse.Namespace, here: Place) -> Base | NoBase | None:
    if here.git is None:
        return None
    configured = variable("CIOPT_BASE") or None
    try:
        settings = Settings(typed_base=options.base, configured_base=configured)
        return base_of(here.git, settings, here.state)
    except GitError as error:
        return NoBase(error.what, error.mend)


# --- what is left and said -----------------------------------------------------------------------


def _write(path: Path, text: str) -> None:
    try:
        write_text(path, text)
    except OSError as error:
        warn([f"--code-quality: {path} cannot be written: {reason(error)}"])


def _keep(options: argparse.Namespace, case: Case, found: Found, *, failed: bool) -> None:
    """As a run without tests of its own, so that later ones can be compared with it."""
    here, plan = case.here, case.carried.plan
    base = plan.base if found.kept and plan is not None else None
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
