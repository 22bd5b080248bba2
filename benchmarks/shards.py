"""How evenly test suites are divided among shards: ours beside pytest-split and pytest-shard.

    python benchmarks/shards.py --data FOLDER [--shards 2 4 8 16 32 50 100] [--report]

FOLDER holds `durations/onegov-cloud.json` and `durations/pgmpy.json` (`.test_durations` files of
pytest-split, id to seconds) and `durations/networkx.json.xz` (seconds of each test's set-up, call
and teardown, and of each module's collection). The environment that runs this needs pytest-split
and pytest-shard besides ours: it is their own code that divides. Prints Markdown, and ends with 1
where another divides known times better than we do, unless a report is all that is wanted.

Figures are seconds of the slowest shard over the lower bound: 1.000 cannot be beaten. All are
judged alike: a shard takes the seconds of its tests, and the set-up of each module that it has any
test of. The peers do not know of set-ups; the longest file first is our own, and does.
"""

import argparse
import json
import lzma
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import fmean

from pytest_shard.pytest_shard import sha256hash
from pytest_split.algorithms import Algorithms

from pytest_ciopt.core.plan.packing import divided
from pytest_ciopt.core.plan.work import Module, lower_bound

SHARDS = (2, 4, 8, 16, 32, 50, 100)
LIKELY = 0.5
ASSUMED = (0.0, LIKELY, 2.0)
"""Seconds of each module's set-up where none was measured."""
SEEDS = range(5)
NOISE = 0.2
"""Standard deviation of the logarithm of known over true seconds."""
UNKNOWN = 0.1
"""Share of the tests."""
ROUNDING = 5e-4
"""What the figures printed do not show."""


@dataclass(frozen=True, slots=True)
class Suite:
    """A test suite, or what is known of it."""

    name: str
    tests: Sequence[str]
    """Ids in the order of collection."""
    seconds: Mapping[str, float]
    """Of each test; of some, if this is what is known."""
    setups: Mapping[str, float]
    """Of each module."""
    typical: bool = True
    """Whether its set-up is measured, or likely."""

    def modules(self) -> list[Module]:
        """Unknown tests take as long as the mean of their module, or of all."""
        tests: defaultdict[str, list[tuple[str, float | None]]] = defaultdict(list)
        for test in self.tests:
            tests[module_of(test)].append((test, self.seconds.get(test)))
        mean = fmean(self.seconds.values())
        found = []
        for path, of_module in tests.items():
            known = [seconds for _, seconds in of_module if seconds is not None]
            usual = fmean(known) if known else mean
            filled = [(test, usual if one is None else one) for test, one in of_module]
            found.append(Module(path, self.setups[path], filled))
        return found


@dataclass(frozen=True, slots=True)
class Item:
    """As much of a pytest item as pytest-split looks at."""

    nodeid: str

    def __repr__(self) -> str:
        return f"<Function {self.nodeid.rpartition('::')[2]}>"


Division = Sequence[Sequence[str]]
"""Ids of each shard."""
Planner = Callable[[Suite, int], Division]


def module_of(test: str) -> str:
    return test.partition("::")[0]


def ours(suite: Suite, shards: int) -> Division:
    found = divided(suite.modules(), shards)
    return [[test for part in shard.parts for test, _ in part.tests] for shard in found]


def longest_file_first(suite: Suite, shards: int) -> Division:
    """Each file, the longest first, to the shard that has least."""
    division: list[list[str]] = [[] for _ in range(shards)]
    taken = [0.0] * shards
    for module in sorted(suite.modules(), key=lambda module: (-module.weight, module.path)):
        number = taken.index(min(taken))
        taken[number] += module.weight
        division[number].extend(test for test, _ in module.tests)
    return division


def pytest_split(algorithm: Algorithms) -> Planner:
    def planned(suite: Suite, shards: int) -> Division:
        items = [Item(test) for test in suite.tests]
        groups = algorithm.value(shards, items, dict(suite.seconds))
        return [[item.nodeid for item in group.selected] for group in groups]

    return planned


def pytest_shard(suite: Suite, shards: int) -> Division:
    division: list[list[str]] = [[] for _ in range(shards)]
    for test in suite.tests:
        division[sha256hash(test) % shards].append(test)
    return division


PLANNERS: Mapping[str, Planner] = {
    "**ours**": ours,
    "longest file first": longest_file_first,
    "pytest-split, least_duration": pytest_split(Algorithms.least_duration),
    "pytest-split, duration_based_chunks": pytest_split(Algorithms.duration_based_chunks),
    "pytest-shard": pytest_shard,
}


def suites(folder: Path) -> Iterator[Suite]:
    """Those with a measured set-up first."""
    with lzma.open(folder / "durations/networkx.json.xz") as stream:
        measured = json.load(stream)
    seconds = {test: sum(phases) for test, phases in measured["tests"].items()}
    setups = measured["collect_module"]
    yield Suite("networkx, measured set-up", list(seconds), seconds, setups)
    for name in ("onegov-cloud", "pgmpy"):
        seconds = json.loads((folder / f"durations/{name}.json").read_bytes())
        for setup in ASSUMED:
            setups = dict.fromkeys(map(module_of, seconds), setup)
            title = f"{name}, {setup:g} s of set-up"
            yield Suite(title, list(seconds), seconds, setups, setup == LIKELY)


def blurred(suite: Suite, seed: int) -> Suite:
    """What is known of a suite whose times vary, and which has new tests."""
    chance = random.Random(seed)
    hidden = set(chance.sample(suite.tests, round(UNKNOWN * len(suite.tests))))
    seconds = {
        test: seconds * chance.lognormvariate(0, NOISE) for test, seconds in suite.seconds.items()
    }
    setups = {path: one * chance.lognormvariate(0, NOISE) for path, one in suite.setups.items()}
    known = {test: one for test, one in seconds.items() if test not in hidden}
    return Suite(suite.name, suite.tests, known, setups)


def slowest(division: Division, suite: Suite) -> float:
    """Seconds of the slowest shard. Raises: ValueError where a test is lost, or runs twice."""
    if sorted(test for shard in division for test in shard) != sorted(suite.tests):
        raise ValueError("not every test once")
    return max(
        sum(suite.setups[path] for path in set(map(module_of, shard)))
        + sum(suite.seconds[test] for test in shard)
        for shard in division
    )


def tried(planner: Planner, known: Suite, shards: int) -> Division | str:
    """A division, or what the planner fails with."""
    try:
        return planner(known, shards)
    except Exception as error:  # whatever a peer fails with is its result
        return f"fails: {type(error).__name__}"


def ratio(planner: Planner, known: Sequence[Suite], suite: Suite, shards: int) -> float | str:
    """The mean over what is known, or what the planner fails with."""
    bound = lower_bound(suite.modules(), shards)
    made = [tried(planner, one, shards) for one in known]
    divisions = [one for one in made if not isinstance(one, str)]
    if failed := [one for one in made if isinstance(one, str)]:
        return f"{failed[0]} in {len(failed)} of {len(made)}"
    return fmean(slowest(one, suite) / bound for one in divisions)


@dataclass(frozen=True, slots=True)
class Row:
    """What the planners make of a suite, ours first."""

    suite: str
    shards: int
    bound: float
    """Seconds."""
    ratios: Sequence[float | str]

    def beaten(self) -> bool:
        """Whether we fail, or another is better."""
        first, *others = self.ratios
        numbers = [one for one in others if isinstance(one, float)]
        return isinstance(first, str) or first > min(numbers, default=first) + ROUNDING

    def cells(self) -> list[str]:
        shown = [one if isinstance(one, str) else f"{one:.3f}" for one in self.ratios]
        return [str(self.shards), f"{self.bound:,.2f}", *shown]


def compared(suite: Suite, known: Sequence[Suite], shards: Sequence[int]) -> Iterator[Row]:
    for number in shards:
        ratios = [ratio(planner, known, suite, number) for planner in PLANNERS.values()]
        yield Row(suite.name, number, lower_bound(suite.modules(), number), ratios)


def synthetic(tests: int = 100_000, modules: int = 2_000) -> Suite:
    """Few long tests and many short ones, in modules of all sizes."""
    chance = random.Random(1)
    sizes = [chance.lognormvariate(0, 1) for _ in range(modules)]
    paths = [f"tests/test_{number}.py" for number in range(modules)]
    places = sorted([*range(modules), *chance.choices(range(modules), sizes, k=tests - modules)])
    ids = [f"{paths[place]}::test_{number}" for number, place in enumerate(places)]
    seconds = {test: chance.lognormvariate(-3, 1.5) for test in ids}
    return Suite("synthetic", ids, seconds, {path: chance.uniform(0.1, 2) for path in paths})


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(flush=True)


def timed(suite: Suite, shards: int) -> Iterator[Sequence[str]]:
    """Rows: planner, CPU seconds, figure."""
    bound = lower_bound(suite.modules(), shards)
    for name, planner in PLANNERS.items():
        start = time.process_time()
        made = tried(planner, suite, shards)
        took = time.process_time() - start
        shown = made if isinstance(made, str) else f"{slowest(made, suite) / bound:.3f}"
        yield name, f"{took:.2f}", shown


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--shards", type=int, nargs="+", default=SHARDS)
    parser.add_argument("--report", action="store_true", help="exit 0 whatever the figures are")
    options = parser.parse_args(arguments)
    heads = ("shards", "lower bound, s", *PLANNERS)
    rows: list[Row] = []
    unsure: list[Row] = []
    for suite in suites(options.data):
        print(f"### {suite.name}: {len(suite.tests):,} tests, {len(suite.modules()):,} modules\n")
        exact = list(compared(suite, [suite], options.shards))
        table(heads, [row.cells() for row in exact])
        rows += exact
        if suite.typical:
            known = [blurred(suite, seed) for seed in SEEDS]
            unsure += compared(suite, known, options.shards)
    print(f"### Times known within {NOISE:.0%}, and of {UNKNOWN:.0%} of the tests not at all\n")
    print(f"Means of {len(SEEDS)} draws, judged by the true times.\n")
    table(("suite", *heads), [[row.suite, *row.cells()] for row in unsure])
    print("### 100,000 tests of 2,000 modules into 100 shards\n")
    table(("", "CPU seconds", "slowest / lower bound"), list(timed(synthetic(), 100)))
    print(", ".join(f"{name} {version(name)}" for name in ("pytest-split", "pytest-shard")) + ".\n")
    for what, of in (("known", rows), ("unsure", unsure)):
        better = [f"{row.suite}, {row.shards} shards" for row in of if row.beaten()]
        print(f"- Another divides {what} times better: {'; '.join(better) or 'nowhere'}.")
    return 1 if any(row.beaten() for row in rows) and not options.report else 0


if __name__ == "__main__":
    sys.exit(main())
