"""What a history costs: size of segments, time of the index, of opening it and of making it anew.

    python benchmarks/history.py [--runs 1000] [--tests 5000] [--folder FOLDER]

Run it with the Python of an environment that has pytest-ciopt. Fills a history with runs whose
tests take log-normally distributed seconds, as those of real suites do (most a few milliseconds, a
few very long), with ten per cent of noise, some failures, and ids of usual length. Prints Markdown;
the exit code is 1 when a target is missed. With the default size it takes some minutes.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_ciopt.adapters.history.index import ask
from pytest_ciopt.adapters.history.indexing import NAME
from pytest_ciopt.adapters.history.writer import FOLDER, Writer
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.records import Attempt, Environment, Phase, RunEnd, RunStart
from pytest_ciopt.core.history.results import Kind
from pytest_ciopt.usecases import keeping

SIZE, INDEX, OPEN, REBUILD = 1.0, 5.0, 0.3, 60.0
"""Targets: megabytes of 10,000 results; seconds for 100,000 results, to open, to make anew."""
_LINUX = Environment("3.12.1", "cpython", "linux-x86_64")
_BEGAN = 1.79e9


class Suite:
    """Tests whose durations are like those of a real suite."""

    def __init__(self, number: int, seed: int) -> None:
        self._chance = random.Random(seed)
        self._tests = [
            (_id(number), self._chance.lognormvariate(-5.5, 1.8)) for number in range(number)
        ]

    def record(self, state: StateDir, number: int) -> None:
        """One more run. The seconds between runs are an hour."""
        began = _BEGAN + 3_600 * number
        run = f"{int(began * 1000):012x}-{self._chance.randbytes(10).hex()}"
        writer = Writer(state, RunStart(run, began, _LINUX, commit="c" * 40, branch="main"))
        writer.write(*(self._attempt(test, usual) for test, usual in self._tests))
        writer.finish(RunEnd(began + 60, 0, len(self._tests)))
        if writer.problem is not None:
            raise SystemExit(writer.problem)

    def _attempt(self, test: str, usual: float) -> Attempt:
        chance = self._chance
        failed = chance.random() < 0.001
        call = Phase("failed" if failed else "passed", usual * chance.lognormvariate(0, 0.1))
        setup, teardown = (Phase("passed", 1e-4 * chance.lognormvariate(0, 0.4)) for _ in "12")
        return Attempt(
            test, setup, call, teardown, failure="AssertionError: assert 1 == 2" if failed else None
        )


def _id(number: int) -> str:
    module = f"tests/unit/part_{number // 400}/test_module_{number // 40}.py"
    return f"{module}::TestCase{number // 10}::test_it[{number}-x]"


def _estimates(state: StateDir) -> int:
    known, told = ask(state, time.time(), lambda index: index.estimates(Kind.TEST))
    if told:
        raise SystemExit(f"unexpected: {told[0]}")
    return sum(len(of) for of in known.values())


def _timed(work: Callable[[], object]) -> float:
    """CPU seconds: machines are shared."""
    began = time.process_time()
    work()
    return time.process_time() - began


def _size(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.iterdir()) / 1e6


def small(folder: Path) -> list[tuple[str, float, str, float]]:
    """A segment of 10,000 results; 100,000 results of 20 runs."""
    one, many = StateDir(folder / "one"), StateDir(folder / "many")
    Suite(10_000, 1).record(one, 0)
    suite = Suite(5_000, 2)
    for number in range(20):
        suite.record(many, number)
    return [
        ("a segment of 10,000 results", _size(one.path / FOLDER), "MB", SIZE),
        ("index of 100,000 results (20 runs)", _timed(lambda: _estimates(many)), "s", INDEX),
    ]


def large(folder: Path, runs: int, tests: int) -> list[tuple[str, float, str, float | None]]:
    """The history of a project over a year or so."""
    state, suite = StateDir(folder / "large"), Suite(tests, 3)
    for number in range(runs):
        suite.record(state, number)
    rows: list[tuple[str, float, str, float | None]] = []
    name = f"{runs:,} runs x {tests:,} tests"
    rows.append((f"segments of {name}", _size(state.path / FOLDER), "MB", None))
    rows.append(("making the index from segments", _timed(lambda: _estimates(state)), "s", None))
    rows.append(("opening it, reading all estimates", _timed(lambda: _estimates(state)), "s", OPEN))
    suite.record(state, runs)
    rows.append(("adding one run to the index", _timed(lambda: _estimates(state)), "s", None))
    packing = _timed(lambda: keeping.compact(state, 50, time.time()))
    rows.append(("packing all but 50 runs", packing, "s", None))
    rows.append(("packs and 50 segments", _size(state.path / FOLDER), "MB", None))
    rows.append(("the index", (state.path / NAME).stat().st_size / 1e6, "MB", None))
    os.unlink(state.path / NAME)
    anew = _timed(lambda: _estimates(state))
    rows.append(("making the index from packs and 50 segments", anew, "s", REBUILD))
    again = _timed(lambda: _estimates(state))
    rows.append(("opening it, reading all estimates", again, "s", OPEN))
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--tests", type=int, default=5_000)
    parser.add_argument(
        "--folder", type=Path, help="where the history is built; removed at the end"
    )
    options = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    missed = False
    try:
        print("| what | measured | target |\n|---|---|---|")
        for what, figure, unit, target in [
            *small(folder),
            *large(folder, options.runs, options.tests),
        ]:
            late = target is not None and figure > target
            missed = missed or late
            asked = "" if target is None else f"{target:g} {unit}{', **missed**' if late else ''}"
            print(f"| {what} | {figure:.3g} {unit} | {asked} |", flush=True)
    finally:
        shutil.rmtree(folder)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
