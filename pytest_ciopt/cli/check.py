"""`ciopt check`: the gates of a run, for what several jobs covered together."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pytest_ciopt.adapters import pytest_config
from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.coverage_data import combined, data_files, project_data
from pytest_ciopt.adapters.coverage_report import Reporting, elements_of, holding, measured
from pytest_ciopt.adapters.environment import current_folder, environ, variable
from pytest_ciopt.adapters.git import GitError
from pytest_ciopt.cli.place import Place, place, print_json, print_lines
from pytest_ciopt.cli.verify import complete_plan, findings, told
from pytest_ciopt.core.base import Base, NoBase
from pytest_ciopt.core.gates import coverage
from pytest_ciopt.core.gates.coverage import Measured
from pytest_ciopt.core.gates.verdict import Ruling, Verdict
from pytest_ciopt.core.history.records import Judged, RunEnd
from pytest_ciopt.core.history.totals import Totals
from pytest_ciopt.core.plan.plan import Plan
from pytest_ciopt.errors import CioptError
from pytest_ciopt.report import gates
from pytest_ciopt.settings import Settings
from pytest_ciopt.usecases import guarding, rebuilding
from pytest_ciopt.usecases.decide import base_of
from pytest_ciopt.usecases.guarding import Rules, judged, said
from pytest_ciopt.usecases.joining import Joined, NotJoined, joined
from pytest_ciopt.usecases.rebuilding import NotStored, planned
from pytest_ciopt.usecases.remember import About, begin

_FLAGS = ("cov_fail_under", "patch_fail_under", "cov_no_drop")


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.add_argument("--cov-fail-under", metavar="PERCENT", help="what all must cover")
    parser.add_argument("--patch-fail-under", metavar="PERCENT", help="what of changed lines")
    parser.add_argument(
        "--cov-no-drop",
        metavar="POINTS",
        help="fail when less is covered than the base did, by more than POINTS, for example 0",
    )
    parser.add_argument("--base", metavar="REF", help="what the change is compared with")
    parser.add_argument(
        "--plan", type=Path, metavar="FILE", help="prove first that its shards ran everything"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        help="data files of coverage.py, and with --plan segments, or folders with them",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Exit code 1 when a gate fails, or the plan was not carried out."""
    here = place()
    asked = _asked(options, here)
    if not asked.gates:
        raise CioptError("nothing is asked", "Give a limit, here or as `ciopt_cov_fail_under`.")
    partial, partial_patch, proved = _proved(options)
    files = data_files(options.paths)
    if not files:
        raise CioptError(
            "no data file of coverage.py is there", "Its name has to have `coverage` in it."
        )
    notes: list[str] = []
    with combined(files) as whole:
        found: Measured = measured(whole, here.top)
        kept = b""
        if proved and partial is not None:
            put = _put_together(options, here, whole, notes)
            if put is not None:
                found, partial, kept = put.measured or found, put.partial, put.kept
    where = guarding.Place(here.git, here.state, _base(options, here))
    verdicts = judged(asked, found, where, partial, partial_patch)
    failed = not proved or any(one.ruling is Ruling.FAIL for one in verdicts)
    total = None if partial else coverage.total(found)
    _keep(options, here, Kept(verdicts, total, kept), failed=failed)
    _tell(options, verdicts, notes)
    return 1 if failed else 0


def _asked(options: argparse.Namespace, here: Place) -> Rules:
    config = pytest_config.find(current_folder(), here.top)

    texts = ("", *(config.text(f"ciopt_{name}") for name in _FLAGS[1:]))
    values = (
        said(getattr(options, name), f"--{name.replace('_', '-')}", f"ciopt_{name}", text)
        for name, text in zip(_FLAGS, texts, strict=True)
    )
    return guarding.rules(config.lines("ciopt_cov_fail_under"), *values)


def _proved(options: argparse.Namespace) -> tuple[str | None, str | None, bool]:
    """Why it is not the whole, why not even all that the change can affect, and whether a plan was
    carried out, where one is given."""
    if options.plan is None:
        return None, None, True
    plan = complete_plan(options.plan)
    found = findings(plan, [path for path in options.paths if path.is_dir()])
    if not all(one.proved for one in found.values()):
        if not options.json:
            for name, one in found.items():
                print_lines(told(plan, one, name))
        why = "the shards did not run what was planned"
        return why, why, False
    partial = "only the tests ran that the change can affect" if plan.base else None
    return partial, None, True


class Put(NamedTuple):
    """What shards of a selection covered, with what the tests cover that it left out."""

    measured: Measured | None
    """None where it may not be exact."""
    partial: str | None
    """Then, why."""
    kept: bytes
    """Lines of a segment, on which later selections can stand."""


def _put_together(
    options: argparse.Namespace, here: Place, whole: Reporting, notes: list[str]
) -> Put | None:
    """None where nobody knows what was left out."""
    plan = complete_plan(options.plan)
    if here.git is None or plan.base is None:
        return None
    covered, branches = elements_of(whole, here.top)
    try:
        shards = _joined(plan, options, here, notes)
        now = rebuilding.Ran(covered, branches, *(() if shards is None else shards.asked))
        rebuilt, branches = rebuilding.rebuild(now, planned(plan), plan.base, here.git, here.state)
    except (NotStored, GitError) as error:
        notes.append(f"coverage is not reconstructed: {error}")
        return None
    kept = b"" if shards is None else shards.lines(covered, rebuilt, here.top, branches=branches)
    with holding(rebuilt.covered, here.top, {}, project_data(), branches=branches) as put:
        found = measured(put, here.top)
    told = gates.reconstructed(rebuilt.stored, rebuilt.ran, coverage.total(found))
    notes.append(f"coverage: {told}")
    if not rebuilt.doubts:
        return Put(found, None, kept)
    notes.extend(f"  It may not be exact: {doubt}." for doubt in rebuilt.doubts)
    return Put(None, f"{told}, perhaps not exactly: {rebuilt.doubts[0]}", kept)


def _joined(
    plan: Plan, options: argparse.Namespace, here: Place, notes: list[str]
) -> Joined | None:
    """What the shards kept for later selections."""
    try:
        found = joined(plan, options.paths, here.top)
    except NotJoined as error:
        notes.append(f"no later selection can stand on this one: {error.what}")
        return None
    return found


def _base(options: argparse.Namespace, here: Place) -> Base | NoBase | None:
    if here.git is None:
        return None
    configured = variable("CIOPT_BASE") or None
    try:
        return base_of(here.git, Settings(typed_base=options.base, configured_base=configured))
    except GitError as error:
        return NoBase(error.what, error.mend)


class Kept(NamedTuple):
    """What later runs can be compared with."""

    verdicts: list[Verdict]
    total: Totals | None
    lines: bytes


def _keep(options: argparse.Namespace, here: Place, kept: Kept, *, failed: bool) -> None:
    """As a run without tests of its own."""
    base = complete_plan(options.plan).base if kept.lines else None
    given = (*options.paths, *([options.plan] if options.plan else ()))
    state = str(here.state.path)
    about = About(rootpath=here.top, arguments=(), state_dir=state, base=base, given=given)
    writer = begin(about).writer
    writer.append(kept.lines)
    told = tuple(Judged(one.gate, one.ruling.value, one.why) for one in kept.verdicts)
    writer.finish(RunEnd(now(), int(failed), 0, coverage=kept.total, verdicts=told))
    writer.close()


def _tell(options: argparse.Namespace, verdicts: list[Verdict], notes: list[str]) -> None:
    if options.json:
        print_json([_plain(one) for one in verdicts])
        return
    print_lines((*notes, *_lines(verdicts)))
    print_lines(gates.annotations(verdicts, environ()))


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
