"""`ciopt plan`: divides the tests among shards, once for all jobs."""

import argparse
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_ciopt.adapters import plans
from pytest_ciopt.adapters.environment import current_folder
from pytest_ciopt.cli.collecting import ToldTest, collect
from pytest_ciopt.cli.place import Place, place, print_lines, warn
from pytest_ciopt.core.history.forecast import module_of
from pytest_ciopt.core.plan.plan import HISTORY, SIZES, Plan, planned
from pytest_ciopt.core.plan.work import Module
from pytest_ciopt.errors import CioptError
from pytest_ciopt.report import shards
from pytest_ciopt.settings import Discovery
from pytest_ciopt.usecases import planning

NAME = "ciopt-plan.json"
FLAG = "--ciopt-changed"


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    number = parser.add_mutually_exclusive_group(required=True)
    number.add_argument("--shards", type=_positive, metavar="N", help="how many there are")
    number.add_argument(
        "--max-shards", type=_positive, metavar="N", help="at most so many, as few as suffice"
    )
    parser.add_argument(
        "--target-minutes",
        type=_minutes,
        metavar="M",
        help="with --max-shards, what the slowest shard may take",
    )
    parser.add_argument(
        "--startup",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="what each job takes before pytest begins (default: 0)",
    )
    parser.add_argument(
        "--changed",
        nargs="?",
        const="",
        metavar="BASE",
        help="plan only the tests that the change since BASE can affect",
    )
    parser.add_argument("-o", "--output", type=Path, default=Path(NAME), help=f"default: {NAME}")
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--github-matrix", action="store_true", help="print the matrix of a GitHub job, as JSON"
    )
    form.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("pytest", nargs="*", help="behind --, further arguments of pytest")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Collects, divides, writes the plan, and tells what each shard will take."""
    where, words = place(), list(options.pytest)
    if options.changed is not None:
        words.insert(0, f"--ciopt-changed={options.changed}" if options.changed else FLAG)
    collection = collect(current_folder(), words)
    wanted = {_from_top(test): test.group for test in collection.tests if test.selected}
    tests = list(wanted)
    work, origin = _work(where, tests)
    head = None if where.git is None else where.git.commit("HEAD")

    def made(number: int) -> Plan:
        return planned(
            work.modules,
            number,
            origin=origin,
            start=work.start,
            groups={test: group for test, group in wanted.items() if group is not None},
            complete=True,
            commit=head,
            base=collection.base,
        )

    plan = made(options.shards) if options.shards else _fewest(made, options)
    plans.write(options.output, plan)
    _tell(options, plan)
    return 0


def _from_top(test: ToldTest) -> str:
    """The id of a test from the top of the repository."""
    return test.id if test.path is None else test.path + test.id[len(module_of(test.id)) :]


def _work(where: Place, tests: Sequence[str]) -> tuple[planning.Work, str]:
    """What is to be divided, and what that was made from."""
    files = planning.tree(where.top, where.git, Discovery(), [""])
    work = planning.by_history(where.state, files, tests)
    warn(work.told)
    if work.modules:
        return work, HISTORY
    warn(["no durations are known, so each test counts alike: `pytest --ciopt-record=results`"])
    modules: dict[str, list[tuple[str, float]]] = {}
    for test in tests:
        modules.setdefault(module_of(test), []).append((test, 1.0))
    return planning.Work([Module(path, 0.0, own) for path, own in modules.items()]), SIZES


def _fewest(made: Callable[[int], Plan], options: argparse.Namespace) -> Plan:
    """The smallest number of shards of which the slowest keeps to the target."""
    if options.target_minutes is None:
        raise CioptError("--max-shards needs --target-minutes", "Or give --shards.")
    for number in range(1, options.max_shards):
        plan = made(number)
        if options.startup + max(plan.seconds, default=0.0) <= options.target_minutes * 60:
            return plan
    return made(options.max_shards)


def _tell(options: argparse.Namespace, plan: Plan) -> None:
    names = [f"{number}/{plan.shards}" for number in range(1, plan.shards + 1)]
    if options.github_matrix:
        print(json.dumps({"shard": names}))
    elif options.json:
        print(json.dumps(figures(plan), indent=2))
    else:
        print_lines(shards.table(plan))
        print(f"written to {options.output}")


def figures(plan: Plan) -> dict[str, object]:
    """What a plan promises."""
    return {
        "shards": plan.shards,
        "made_from": plan.origin,
        "seconds": list(plan.seconds),
        "lower_bound": plan.bound,
        "imbalance": round(plan.imbalance, 4),
        "tests": [len(plan.named(number)) for number in range(1, plan.shards + 1)],
    }


def _positive(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 10_000:
        raise argparse.ArgumentTypeError(f"{text} is no number of shards")
    return number


def _minutes(text: str) -> float:
    minutes = float(text)
    if not 0 < minutes < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no time")
    return minutes
