"""`ciopt verify`: whether the shards of a plan ran what was planned, each test once."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from pytest_ciopt.adapters import plans
from pytest_ciopt.cli.place import print_json, print_lines
from pytest_ciopt.core.plan.document import PlanError
from pytest_ciopt.core.plan.environments import labels
from pytest_ciopt.core.plan.plan import Plan
from pytest_ciopt.core.plan.proof import Findings, proof, proofs
from pytest_ciopt.errors import CioptError, reason
from pytest_ciopt.report.lines import count
from pytest_ciopt.usecases.verifying import runs_in

ONE = "--one-environment"
_SHOWN = 20
"""Lines on one kind of finding."""
_SEVERAL = (
    "each environment has to run all shards; where only other distributions were installed, or "
    f"other variables set, {ONE} counts them as one"
)


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.add_argument("plan", type=Path, help="the plan that all shards used")
    parser.add_argument("segments", nargs="+", type=Path, help="segments, or folders with them")
    add_one_environment(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.set_defaults(run=run)


def add_one_environment(parser: argparse.ArgumentParser) -> None:
    """For whoever knows that the difference does not matter."""
    parser.add_argument(
        ONE,
        action="store_true",
        help="count runs with the same Python and platform as of one environment, whatever was "
        "installed and set",
    )


def run(options: argparse.Namespace) -> int:
    """Exit code 1 when anything is missing, doubled or unknown."""
    plan = complete_plan(options.plan)
    found = findings(plan, options.segments, by_key=options.one_environment)
    proved = all(one.proved for one in found.values())
    if options.json:
        of_each = {name: asdict(one) | {"proved": one.proved} for name, one in found.items()}
        print_json({"proved": proved, "environments": of_each})
    else:
        print_lines(told(plan, found))
    return 0 if proved else 1


def complete_plan(path: Path) -> Plan:
    """Raises: CioptError, also for a plan that proves nothing."""
    plan = read_plan(path)
    if not plan.complete:
        raise CioptError(f"{path} does not name all tests", "Make it with `ciopt plan`.")
    return plan


def findings(plan: Plan, segments: Sequence[Path], *, by_key: bool = False) -> dict[str, Findings]:
    """By environment; of at least one. Raises: CioptError."""
    for path in segments:
        if not path.exists():
            raise CioptError(f"{path} does not exist", "Nothing is proved.")
    runs = list(runs_in(segments))
    found = proofs(plan, runs, by_key=by_key)
    named = {name: found[one] for one, name in labels(found).items()}
    return named or {"no environment": proof(plan, runs)}


def read_plan(path: Path) -> Plan:
    """Raises: CioptError."""
    try:
        return plans.read(path)
    except (PlanError, OSError) as error:
        raise CioptError(f"{path} cannot be used: {reason(error)}") from None


def told(plan: Plan, found: Mapping[str, Findings]) -> Iterator[str]:
    """For people: one line of each environment when all is well, else what is not."""
    for environment, one in found.items():
        yield from _told(plan, one, environment)
    if len(found) > 1 and any(one.absent for one in found.values()):
        yield _SEVERAL


def _told(plan: Plan, found: Findings, environment: str) -> Iterator[str]:
    planned = sum(len(plan.named(number)) for number in range(1, plan.shards + 1))
    work = f"{count(planned, 'test')} in {count(plan.shards, 'shard')} ({environment})"
    if found.proved:
        yield f"proved: {work}, each ran once"
        return
    yield f"not proved: {work}"
    for number in found.absent:
        yield f"  shard {number}/{plan.shards} left no segment"
    for number in found.cut:
        yield f"  shard {number}/{plan.shards} was not recorded to its end"
    yield from _some("not counted", found.foreign)
    yield from _some("not collected, or not ended", found.broken)
    yield from _some("did not run", found.missing)
    doubled = [f"{test} (shards {', '.join(map(str, n))})" for test, n in found.doubled.items()]
    yield from _some("ran more than once", doubled)
    yield from _some("ran and is not planned", found.unplanned)
    yield from _some("has other ids each time, so give its parameters fixed ones", found.unsteady)


def _some(what: str, several: list[str]) -> Iterator[str]:
    yield from (f"  {what}: {one}" for one in several[:_SHOWN])
    if len(several) > _SHOWN:
        yield f"  {what}: {len(several) - _SHOWN:,} more"
