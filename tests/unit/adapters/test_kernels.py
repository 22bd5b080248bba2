"""Benchmarks whose slowness is known: they do what they say, and are those that pytest finds."""

import runpy
from pathlib import Path

import pytest

from pytest_ciopt.adapters.duet.child import Wanted
from pytest_ciopt.adapters.duet.kernels import kernels
from pytest_ciopt.core.gates.answers import Tree
from pytest_ciopt.core.history.rounds import CPU

QUICK = ("--benchmark-max-time=0.001", "--benchmark-min-rounds=1")


@pytest.mark.parametrize(("tree", "more"), [(Tree.BASE, 0), (Tree.HEAD, 1)])
def test_the_head_does_more(tmp_path: Path, tree: Tree, more: int) -> None:
    kernels(tmp_path, {0: 1, 5: 1, 10: 1}, ())
    work = runpy.run_path(str(tmp_path / tree.value / "work.py"))
    for percent in (0, 5, 10):
        share = 100 + percent * more
        assert len(work["json_and_back"](percent)) == 2 * share
        assert work["loop"](percent) == sum(number & 7 for number in range(100 * share))


def test_pytest_finds_them(tmp_path: Path) -> None:
    made = kernels(tmp_path.resolve(), {0: 2, 5: 1}, QUICK)
    assert sorted(made.percents.values()) == [0] * 6 + [5] * 3
    assert made.sides(Tree.HEAD, Wanted(None, CPU)).benchmarks.keys() == made.percents.keys()
