"""`ciopt plan`: divides the tests among shards, once for all jobs."""

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pytest_ciopt.adapters import plans, pytest_config
from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.environment import current_folder
from pytest_ciopt.adapters.paths import place_of
from pytest_ciopt.cli.asking import rules_of
from pytest_ciopt.cli.collecting import FLAG, Collection, ToldTest
from pytest_ciopt.cli.explaining import show
from pytest_ciopt.cli.known import collect_known
from pytest_ciopt.cli.place import Place, place, print_lines, warn
from pytest_ciopt.core.nodeids import module_of, placed_id, repository_id
from pytest_ciopt.core.plan.choice import Offer, Prices, chosen, considered, offer
from pytest_ciopt.core.plan.plan import DURATIONS, HISTORY, SIZES, Plan, of_selection, planned
from pytest_ciopt.errors import CioptError
from pytest_ciopt.report import shards
from pytest_ciopt.settings import Discovery
from pytest_ciopt.usecases import planning
from pytest_ciopt.usecases.sharding import durations_in
from pytest_ciopt.usecases.uncommitted import uncommitted

NAME = "ciopt-plan.json"
_SHOW = "show"


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.usage = (
        "ciopt plan [options] [-- ARGUMENTS OF PYTEST]\n       ciopt plan show [ID or FILE ...]"
    )
    _add_numbers(parser)
    parser.add_argument(
        "--changed",
        nargs="?",
        const="",
        metavar="BASE",
        help="plan only the tests that the change since BASE can affect",
    )
    parser.add_argument(
        "--collect",
        action="store_true",
        help="collect all tests, also of files that no change since the last plan can affect",
    )
    _add_forms(parser)
    parser.add_argument("words", nargs="*", help="show, or behind -- arguments of pytest")
    parser.set_defaults(run=run)


def _add_numbers(parser: argparse.ArgumentParser) -> None:
    """How many shards, and what they cost."""
    number = parser.add_mutually_exclusive_group()
    number.add_argument("--shards", type=_positive, metavar="N", help="how many there are")
    number.add_argument(
        "--max-shards", type=_positive, metavar="N", help="choose at most so many, by the two below"
    )
    parser.add_argument(
        "--target-minutes",
        type=_amount,
        metavar="M",
        help="with --max-shards, as few as keep the slowest job to M minutes",
    )
    parser.add_argument(
        "--max-cost",
        type=_amount,
        metavar="X",
        help="with --max-shards, only so many as cost at most X",
    )
    for name, default, kind, text in (
        ("startup", 0.0, _amount, "seconds of each job before pytest begins"),
        ("price", 0.0, _amount, "price of a minute"),
        ("billed", 60.0, _period, "seconds to which each job is rounded up"),
    ):
        told = f"{text} (default: {default:g})"
        parser.add_argument(f"--{name}", type=kind, default=default, metavar="Y", help=told)


def _add_forms(parser: argparse.ArgumentParser) -> None:
    """Where the plan goes, and what is printed."""
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        default=Path(NAME),
        help=f"the plan (default: {NAME})",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--github-matrix", action="store_true", help="print the matrix of a GitHub job, as JSON"
    )
    form.add_argument(
        "--gitlab",
        metavar="FILE",
        help="print a GitLab child pipeline, as JSON, with a job that extends .ciopt-shard of FILE",
    )
    form.add_argument("--json", action="store_true", help="print the figures as JSON")


def run(options: argparse.Namespace) -> int:
    """Collects, divides, writes the plan, and tells what each shard will take."""
    if options.shards is None and options.max_shards is None:
        if options.words[:1] != [_SHOW]:
            raise CioptError(
                "ciopt plan needs --shards or --max-shards", "Or say `ciopt plan show`."
            )
        show(options.output, options.words[1:])
        return 0
    where, words = place(), list(options.words)
    if options.changed is not None:
        words.insert(0, f"--ciopt-changed={options.changed}" if options.changed else FLAG)
    head = None if where.git is None else where.git.commit("HEAD")
    edits = _edits(where, head, options.output)
    collection = collect_known(where, head, edits, words, anew=options.collect)
    for line in collection.told:
        print(line, file=sys.stderr)
    if collection.base is not None and not any(word.startswith(FLAG) for word in words):
        warn([f"the plan is of the change since {collection.base[:12]}: addopts has {FLAG}"])
    wanted = {_from_top(test): test.group for test in collection.tests if test.selected}
    work, origin = _work(where, list(wanted), collection.fixtures)
    if options.max_shards is not None and origin == SIZES:
        raise CioptError("--max-shards needs durations", "Record a run first, or give --shards.")

    def made(number: int) -> Plan:
        return planned(
            work.modules,
            number,
            origin=origin,
            start=work.start,
            shared=work.shared,
            spreads=work.spreads,
            groups={test: group for test, group in wanted.items() if group is not None},
            complete=True,
            commit=head,
        )

    prices = Prices(options.startup, options.price, options.billed)
    if options.shards:
        told = [offer(made(options.shards), prices)]
        best = told[0]
    else:
        told = considered(made, options.max_shards, prices, *_limits(options))
        best = _best(told, options)
    best = replace(best, plan=_as_of_now(best.plan, collection, edits))
    if options.output.is_dir():
        raise CioptError(f"{options.output} is a folder", "Name a file for the plan.")
    plans.write(options.output, best.plan)
    _tell(options, best, told)
    return 0


def _edits(where: Place, head: str | None, output: Path) -> dict[str, str] | None:
    """Looked at before pytest does: of what is edited meanwhile the shards say so."""
    if where.git is None or head is None:
        return None
    folder = current_folder()
    rules = rules_of(pytest_config.find(folder, where.top))
    given = (place_of(folder / output, where.top),)
    return uncommitted(where.git, where.state, head, rules, given)


def _as_of_now(plan: Plan, collection: Collection, edits: dict[str, str] | None) -> Plan:
    """What is recorded before counts for nothing; what a selection left out is no new test."""
    often = Counter(_from_top(test) for test in collection.tests if test.selected)
    times = {test: number for test, number in often.items() if number > 1}
    made = replace(plan, made=round(now(), 3), aliases=_aliases(collection), times=times)
    if collection.base is None:
        return made
    left = [(t.path or module_of(t.id), _from_top(t)) for t in collection.tests if not t.selected]
    return of_selection(made, collection.base, left, collection.unread, collection.proving, edits)


def _aliases(collection: Collection) -> dict[str, str]:
    """Files by what ids of their tests begin with, where that is another path, and means one."""
    read: dict[str, set[str]] = {}
    for test in collection.tests:
        named = module_of(repository_id(collection.root, test.id))
        read.setdefault(named, set()).add(named if test.path is None else test.path)
    return {named: path for named, (path, *more) in read.items() if path != named and not more}


def _limits(options: argparse.Namespace) -> tuple[float | None, float | None]:
    """Seconds of the slowest job, and what all may cost. Raises: CioptError without either."""
    if options.target_minutes is None and options.max_cost is None:
        raise CioptError("--max-shards needs --target-minutes or --max-cost", "Or give --shards.")
    target = None if options.target_minutes is None else options.target_minutes * 60
    return target, options.max_cost


def _best(offers: Sequence[Offer], options: argparse.Namespace) -> Offer:
    best = chosen(offers, *_limits(options))
    if best is None:
        least = min(offers, key=lambda one: one.cost)
        raise CioptError(
            f"every number of shards costs more than {options.max_cost:g}",
            f"The cheapest is {least.plan.shards:,}, for {least.cost:.2f}.",
        )
    return best


def _from_top(test: ToldTest) -> str:
    """The id of a test from the top of the repository."""
    return test.id if test.path is None else placed_id(test.path, test.id)


def _work(where: Place, tests: Sequence[str], users: planning.Users) -> tuple[planning.Work, str]:
    """What is to be divided, and what that was made from."""
    if where.durations is not None:  # as in shards without a plan, the file counts
        seconds = durations_in(where.durations, set(map(module_of, tests)), where.top)
        if modules := planning.collected_by_durations(seconds, tests):
            return planning.Work(modules), DURATIONS
    files = planning.tree(where.top, where.git, Discovery(), [""])
    work = planning.by_history(where.state, files, tests, users)
    warn(work.told)
    if work.modules or not tests:
        return work, HISTORY
    warn(["no durations are known, so each test counts alike: `pytest --ciopt-record=results`"])
    return planning.Work(planning.all_alike(tests)), SIZES


def _tell(options: argparse.Namespace, best: Offer, offers: Sequence[Offer]) -> None:
    plan = best.plan
    if options.github_matrix:
        names = [f"{number}/{plan.shards}" for number in range(1, plan.shards + 1)]
        print(json.dumps({"shard": names}))
    elif options.gitlab is not None:
        print(json.dumps(_child_pipeline(options.gitlab, plan.shards)))
    elif options.json:
        print(json.dumps({**figures(best), "offers": [figures(one) for one in offers]}, indent=2))
    else:
        print_lines(shards.curve(offers, best) if len(offers) > 1 else ())
        print_lines(shards.table(plan))
        print(f"written to {options.output}")


def _child_pipeline(file: str, number: int) -> dict[str, object]:
    """GitLab numbers parallel jobs, but not a single one."""
    job: dict[str, object] = {"extends": ".ciopt-shard"}
    job |= {"parallel": number} if number > 1 else {"variables": {"CIOPT_SHARD": "1/1"}}
    return {"include": [{"local": file}], "tests": job}


def figures(one: Offer) -> dict[str, object]:
    """What a plan promises."""
    plan = one.plan
    return {
        "shards": plan.shards,
        "made_from": plan.origin,
        "seconds": list(plan.seconds),
        "spread": list(plan.spread),
        "lower_bound": plan.bound,
        "imbalance": round(plan.imbalance, 4),
        "tests": [len(plan.named(number)) for number in range(1, plan.shards + 1)],
        "slowest_job": round(one.slowest, 3),
        "billed_minutes": round(one.minutes, 3),
        "cost": round(one.cost, 4),
    }


def _positive(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text} is no number of shards")
    return int(text)


def _amount(text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not 0 <= amount < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no amount")
    return amount


def _period(text: str) -> float:
    if _amount(text) == 0:
        raise argparse.ArgumentTypeError("0 is no time; jobs billed by the second: 1")
    return float(text)
