"""`ciopt verify`: whether the shards of a plan ran what was planned, each test once."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from pytest_ciopt.adapters import plans
from pytest_ciopt.cli.place import print_json, print_lines
from pytest_ciopt.core.plan.document import PlanError
from pytest_ciopt.core.plan.plan import Plan
from pytest_ciopt.core.plan.proof import Findings, by_environment, proof
from pytest_ciopt.errors import CioptError, reason
from pytest_ciopt.report.lines import count
from pytest_ciopt.usecases.verifying import runs_in

_SHOWN = 20
"""Lines on one kind of finding."""


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.add_argument("plan", type=Path, help="the plan that all shards used")
    parser.add_argument("segments", nargs="+", type=Path, help="segments, or folders with them")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Exit code 1 when anything is missing, doubled or unknown."""
    plan = complete_plan(options.plan)
    found = findings(plan, options.segments)
    proved = all(one.proved for one in found.values())
    if options.json:
        of_each = {name: asdict(one) | {"proved": one.proved} for name, one in found.items()}
        print_json({"proved": proved, "environments": of_each})
    else:
        for name, one in found.items():
            print_lines(told(plan, one, name))
    return 0 if proved else 1


def complete_plan(path: Path) -> Plan:
    """Raises: CioptError, also for a plan that proves nothing."""
    plan = read_plan(path)
    if not plan.complete:
        raise CioptError(f"{path} does not name all tests", "Make it with `ciopt plan`.")
    return plan


def findings(plan: Plan, segments: Sequence[Path]) -> dict[str, Findings]:
    """By environment; of at least one. Raises: CioptError."""
    for path in segments:
        if not path.exists():
            raise CioptError(f"{path} does not exist", "Nothing is proved.")
    runs = by_environment(runs_in(segments))
    found = {name: proof(plan, several) for name, several in runs.items()}
    # Where other work has left runs of other environments, those have no shard of this plan.
    found = {name: one for name, one in found.items() if len(one.absent) < plan.shards}
    return found or {"no environment": proof(plan, ())}


def read_plan(path: Path) -> Plan:
    """Raises: CioptError."""
    try:
        return plans.read(path)
    except (PlanError, OSError) as error:
        raise CioptError(f"{path} cannot be used: {reason(error)}") from None


def told(plan: Plan, found: Findings, environment: str) -> Iterator[str]:
    """For people: one line when all is well, else what is not."""
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
