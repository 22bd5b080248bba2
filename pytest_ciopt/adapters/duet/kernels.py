"""Benchmarks of known slowness: two trees whose code differs by a known share of its work.

Three kinds: a loop in pure Python, dicts to JSON and back, and sorting. Some benchmarks do the same
in both trees, others do more in the head, by that share of what they do: the code is slower and no
figure is altered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_ciopt.adapters.duet.child import Place
from pytest_ciopt.adapters.duet.sides import Sides
from pytest_ciopt.core.gates.answers import Tree

KINDS = ("loop", "json", "sort")
SAME = 0
"""Percent of more work, of benchmarks that are equal."""

_WORK = """\
import json
import random

MORE = {more}

_ROWS = [{{"id": n, "name": f"row {{n}}", "price": n / 7}} for n in range(220)]
_VALUES = [random.Random(n).random() for n in range(400)]


def loop(percent):
    total = 0
    for number in range(100 * (100 + percent * MORE)):
        total += number & 7
    return total


def json_and_back(percent):
    return json.loads(json.dumps(_ROWS[: 2 * (100 + percent * MORE)]))


def sort(percent):
    for _ in range((100 + percent * MORE) // 5):
        found = sorted(_VALUES)
    return found
"""
_TESTS = """\
import pytest

from work import json_and_back, loop, sort

FUNCTIONS = {"loop": loop, "json": json_and_back, "sort": sort}


@pytest.mark.parametrize("number", range(NUMBER))
@pytest.mark.parametrize("percent", PERCENTS)
@pytest.mark.parametrize("kind", FUNCTIONS)
def test_work(benchmark, kind, percent, number):
    if number >= NUMBERS[percent]:
        pytest.skip("enough of these")
    benchmark(FUNCTIONS[kind], percent)
"""


@dataclass(frozen=True, slots=True)
class Kernels:
    """The benchmarks of two such trees."""

    percents: Mapping[str, int]
    """By how much each does more in the head, by node id."""
    sides: Sides


def kernels(
    folder: Path, numbers: Mapping[int, int], arguments: tuple[str, ...], path: tuple[str, ...] = ()
) -> Kernels:
    """Writes both trees into `folder`; `numbers` says by percent how many of each kind there are.

    Percents are multiples of five. `path` is what goes behind in PYTHONPATH. Raises: OSError.
    """
    head = (
        f"PERCENTS, NUMBER = {list(numbers)}, {max(numbers.values())}\nNUMBERS = {dict(numbers)}\n"
    )
    files = {"test_work.py": head + _TESTS, "pytest.ini": "[pytest]\n"}
    places = {}
    for tree in Tree:
        top = folder / tree.value
        top.mkdir(parents=True)
        more = {"work.py": _WORK.format(more=int(tree is Tree.HEAD))}
        for name, text in (files | more).items():
            (top / name).write_text(text, encoding="ascii")
        places[tree] = Place(top, arguments=arguments, path=path)
    percents = {
        f"test_work.py::test_work[{kind}-{percent}-{number}]": percent
        for kind in KINDS
        for percent, count in numbers.items()
        for number in range(count)
    }
    return Kernels(percents, Sides(places, dict.fromkeys(Tree, (*files, "work.py"))))
