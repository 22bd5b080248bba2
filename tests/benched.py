"""A small project with benchmarks, real pytest-benchmark beside it, and what it left."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from conftest import QUIET, Project
from pytest_ciopt.adapters.duet.child import Wanted
from pytest_ciopt.core.gates.answers import Answer, Tree
from pytest_ciopt.core.history.rounds import CPU, WALL, Machine, summed_up

QUICK = "--benchmark-max-time=0.01 --benchmark-min-rounds=3 --benchmark-min-time=0.00001"
FILES = {
    "pytest.ini": f"[pytest]\npythonpath = .\naddopts = {QUICK} --benchmark-quiet\n",
    ".gitignore": "__pycache__\n",
    "shop/__init__.py": "",
    "shop/cart.py": """\
        def total(prices):
            return sum(price * 2 for price in prices)
        """,
    "tests/test_speed.py": """\
        from shop.cart import total

        def test_total(benchmark): assert benchmark(total, range(200)) == 39800
        """,
    "tests/test_other.py": "def test_other(): pass\n",
}
TOTAL = "tests/test_speed.py::test_total"


def run(made: Project, *arguments: str) -> pytest.RunResult:
    """In a process of its own: pytest-benchmark keeps state in its module."""
    plugins = ("-p", "benchmark", "-p", "xdist", "-p", "pytest_ciopt.plugin", *QUIET)
    return made.pytester.runpytest_subprocess(*plugins, "-p", "no:cacheprovider", *arguments)


def recorded(kind: str = "benchmark") -> list[dict[str, Any]]:
    """Lines of a kind of the newest segment."""
    newest = max(Path(".ciopt/segments").iterdir())
    lines = map(json.loads, gzip.decompress(newest.read_bytes()).splitlines())
    return [line for line in lines if line["kind"] == kind]


class FakeTrees:
    """Implements `usecases.duet.Measure` without a process: figures are given by test and tree."""

    def __init__(
        self,
        head: Mapping[str, float | str],
        base: Mapping[str, float | str] | None = None,
        wall: float = 1.0,
    ) -> None:
        """A number is the least seconds of an iteration, a text the reason of a failure; on the
        wall clock it takes `wall` times as long."""
        self._told = {Tree.HEAD: head, Tree.BASE: head if base is None else base}
        self._wall = wall
        self.asked: list[tuple[Tree, Wanted]] = []
        self.commits: list[str] = []
        """What it was opened with."""
        self.noise = 0.0
        """By which share every other process takes longer."""
        self.computing: frozenset[str] = frozenset()
        """What is seen to wait for nothing but the processor."""

    def look(self, tests: frozenset[str] | None) -> Answer:
        found = self(Tree.HEAD, Wanted(tests, CPU))
        self.asked.clear()
        return found

    def __call__(self, tree: Tree, wanted: Wanted) -> Answer:
        self.asked.append((tree, wanted))
        told = self._told[tree]
        longer = 1.0 + self.noise * (len(self.asked) % 4 in (0, 2))
        longer *= self._wall if wanted.clock == WALL else 1.0
        own = {test: told[test] for test in told if wanted.tests is None or test in wanted.tests}
        failed = {test: why for test, why in own.items() if isinstance(why, str)}
        found = {
            test: summed_up(test, [least * longer], 1, wanted.clock, Machine("", 0, ""), 1.0)
            for test, least in own.items()
            if not isinstance(least, str)
        }
        return Answer(found, frozenset(own), failed, computing=self.computing)
