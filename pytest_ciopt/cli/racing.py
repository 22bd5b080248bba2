"""`ciopt bench compare` and `calibrate`: duets without a run around them."""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from pytest_ciopt.adapters import pytest_config
from pytest_ciopt.adapters.duet.checkout import checked_out, files_of
from pytest_ciopt.adapters.duet.child import Place, mapped
from pytest_ciopt.adapters.duet.kernels import kernels
from pytest_ciopt.adapters.duet.sides import Sides
from pytest_ciopt.adapters.environment import current_folder, variable
from pytest_ciopt.adapters.git import Git
from pytest_ciopt.adapters.paths import root_of
from pytest_ciopt.cli.place import print_json, print_lines, warn
from pytest_ciopt.core.gates.answers import Tree
from pytest_ciopt.core.gates.benchmarks import Step
from pytest_ciopt.core.gates.budgets import Slowdown, slowdown
from pytest_ciopt.core.gates.calibration import Tally, tallied
from pytest_ciopt.errors import CioptError
from pytest_ciopt.report.tables import table
from pytest_ciopt.usecases.duet import Measure, NotMeasured, Raced, raced

_USUAL = "5%"
_NUMBERS = {0: 6, 5: 2, 10: 2}
_QUICK = ("--benchmark-max-time=0.1", "--benchmark-min-rounds=5")


def _check_installed() -> None:
    if find_spec("pytest_benchmark") is None:
        raise CioptError(
            f"pytest-benchmark is not installed for {sys.executable}",
            "`pip install 'pytest-ciopt[benchmark]'` does it.",
        )


def _progress(line: str) -> None:
    if sys.stderr.isatty():
        warn([line])


# --- compare -------------------------------------------------------------------------------------


def compare(options: argparse.Namespace) -> int:
    """Exit code 1 when a benchmark is slower than `--fail` allows."""
    _check_installed()
    git = Git(current_folder())
    budget = slowdown(options.fail or _USUAL, "--fail")
    with ExitStack() as stack:
        measure = _opened(stack, git, options)
        first = measure.look(None)
        budgets = dict.fromkeys(first.collected, budget)
        if not budgets:
            told = next(iter(first.failed.values()), None)
            raise CioptError(
                "pytest finds no benchmark here" + (f": {told}" if told else ""),
                "Tests that use the fixture `benchmark` of pytest-benchmark are meant.",
            )
        try:
            found = raced(measure, budgets, {}, _progress, first)
        except NotMeasured as error:
            raise CioptError(f"nothing can be compared: {error.what}", error.mend) from error
    if options.json:
        print_json([_plain(test, found[test]) for test in sorted(found)])
    else:
        print_lines(_lines(found, budget))
    slower = any(one.step is Step.SLOWER for one in found.values())
    return 1 if slower and options.fail is not None else 0


def _opened(stack: ExitStack, git: Git, options: argparse.Namespace) -> Measure:
    """Both trees, checked out where they are commits."""
    folder = current_folder()
    config = pytest_config.find(folder, git.top)
    entries = variable("PYTHONPATH") or ""
    places, files = {}, {}
    for tree, ref in ((Tree.BASE, options.base), (Tree.HEAD, options.head)):
        top, of = git.top, git
        if ref is not None:
            top = stack.enter_context(checked_out(git, _commit(git, ref)))
            of = Git(top)
        path = mapped(entries, git.top, top) if ref is not None else entries.split(os.pathsep)
        root = root_of(config.rootdir, git.top)
        arguments = tuple(options.pytest)
        places[tree] = Place(top, root, arguments=arguments, path=tuple(filter(None, path)))
        files[tree] = files_of(of)
    return Sides(places, files)


def _commit(git: Git, ref: str) -> str:
    commit = None if ref.startswith("-") else git.commit(ref)
    if commit is None:
        raise CioptError(f"there is no commit {ref!r} in this clone", "Correct it, or fetch it.")
    return commit


def _lines(found: Mapping[str, Raced], budget: Slowdown) -> Iterator[str]:
    heads = ("benchmark", ">change", ">from", ">to", ">in", ">seen from", "verdict")
    yield from table(heads, [_row(test, found[test], budget) for test in sorted(found)])


def _row(test: str, one: Raced, budget: Slowdown) -> tuple[str, ...]:
    if one.effect is None or one.step is None:
        return test, "", "", "", "", "", one.why or str(one.step)
    figures = (one.effect.median, one.effect.low, one.effect.high)
    change, low, high = map(budget.shown, figures)
    sure = f"{one.effect.confidence:.0%}"
    on = "" if one.clock == "cpu" else ", on the wall clock"
    return test, change, low, high, sure, budget.shown(one.effect.smallest), f"{one.step}{on}"


def _plain(test: str, one: Raced) -> dict[str, object]:
    return {
        "benchmark": test,
        "verdict": None if one.step is None else one.step.value,
        "why": one.why or None,
        "effect": None if one.effect is None else asdict(one.effect),
        "clock": one.clock,
        "duets": len(one.duets),
    }


# --- calibrate -----------------------------------------------------------------------------------


def calibrate(options: argparse.Namespace) -> int:
    """A table of what the rule says where the truth is known."""
    _check_installed()
    budget = slowdown(_USUAL, "")
    outcomes: list[tuple[int, bool, bool]] = []
    for number in range(options.sessions):
        _progress(f"session {number + 1} of {options.sessions}")
        with tempfile.TemporaryDirectory(prefix="ciopt-calibrate-") as folder:
            made = kernels(Path(folder).resolve(), _NUMBERS, _QUICK)
            budgets = dict.fromkeys(made.percents, budget)
            for test, one in raced(made.sides, budgets, {}, _progress).items():
                failed = one.step is Step.SLOWER
                unknown = not failed and one.step is not Step.FASTER
                outcomes.append((made.percents[test], failed, unknown))
    found = tallied(outcomes)
    if options.json:
        print_json([asdict(one) | {"interval": one.interval} for one in found])
    else:
        print_lines(_table(found))
    return 0


def _table(found: tuple[Tally, ...]) -> Iterator[str]:
    rows = []
    for one in found:
        name = f"{one.percent} % slower" if one.percent else "equal (false alarms)"
        low, high = one.interval
        shares = f"{one.share:.1%}", f"{low:.1%}", f"{high:.1%}"
        rows.append((name, str(one.trials), str(one.failed), *shares, str(one.unknown)))
    heads = ("benchmarks", ">trials", ">failed", ">share", ">from", ">to", ">cannot tell")
    yield from table(heads, rows)
    yield f"Budget {_USUAL}; from and to are Wilson's interval of 95 %."
