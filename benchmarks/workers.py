"""How long xdist's workers take: batches of ours beside the schedulers of pytest-xdist.

    python benchmarks/workers.py --data FOLDER [--workers 2 4 8 16] [--report]

FOLDER is that of `benchmarks/shards.py`. The schedulers are the real ones, ours and xdist's; the
workers are simulated: each does as xdist's do (it begins a test when it knows the one after it, or
that there is none, and answers after each), its tests take what was measured, and it pays for the
fixtures of a module whenever it comes to the module from another one. What a module's fixtures
take was not measured, so it is assumed: 0, 0.5 and 2 seconds. A message takes a millisecond.

Ours is also shown as it is when what it knows is blurred: the logarithm of each time by a standard
deviation of 0.2, and one test of ten is unknown; and as it is in a first run, which knows nothing.

Figures are seconds until the last worker is through, over the lower bound of what any scheduler
could reach that runs each module's fixtures once (`core/plan/work.py`): 1.000 cannot be beaten.
Ends with 1 if a scheduler loses a test or runs one twice, and where another beats ours by more than
a hundredth, unless a report is all that is wanted.
"""

import argparse
import heapq
import json
import lzma
import random
import sys
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import fmean
from types import SimpleNamespace
from typing import Any

from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import (  # type: ignore[import-untyped]
    LoadFileScheduling,
    LoadScheduling,
    LoadScopeScheduling,
    WorkStealingScheduling,
)

from pytest_ciopt.core.plan.batches import batches
from pytest_ciopt.core.plan.work import Module, lower_bound
from pytest_ciopt.hooks.scheduling import Batches, Divided
from pytest_ciopt.usecases.planning import all_alike

WORKERS = (2, 4, 8, 16)
SETUPS = (0.0, 0.5, 2.0)
"""Seconds that the fixtures of each module take."""
MESSAGE = 0.001
"""Seconds; a guess, and no result depends on it but for tests that take as little."""
MARGIN = 0.01
NOISE = 0.2
UNKNOWN = 0.1


@dataclass(frozen=True, slots=True)
class Suite:
    """Tests and what they take."""

    name: str
    modules: Sequence[Module]

    @property
    def tests(self) -> list[str]:
        """In the order of collection."""
        return [test for module in self.modules for test, _ in module.tests]


@dataclass(eq=False)
class Worker:
    """What a scheduler sees of a worker, and what the simulation does."""

    name: str
    send: Callable[[float, Callable[[], None]], None]
    """Does something after some seconds."""
    suite: "Times"
    ended: Callable[["Worker", int], None]
    given_back: Callable[["Worker", Sequence[int]], None]
    queue: deque[int] = field(default_factory=deque)
    held: int | None = None
    """The test that it begins when it knows of another."""
    running: bool = False
    no_more: bool = False
    module: str = ""
    shutting_down: bool = False

    @property
    def gateway(self) -> SimpleNamespace:
        return SimpleNamespace(id=self.name)

    def send_runtest_some(self, indices: Sequence[int]) -> None:
        self.send(MESSAGE, partial(self._take, list(indices)))

    def send_steal(self, indices: Sequence[int]) -> None:
        self.send(MESSAGE, partial(self._give_back, set(indices)))

    def shutdown(self) -> None:
        self.shutting_down = True
        self.send(MESSAGE, self._end)

    def _take(self, indices: list[int]) -> None:
        self.queue.extend(indices)
        self._go()

    def _give_back(self, indices: set[int]) -> None:
        found = [index for index in self.queue if index in indices]
        if len(found) != len(indices):
            found = []
        self.queue = deque(index for index in self.queue if index not in found)
        self.send(MESSAGE, partial(self.given_back, self, found))

    def _end(self) -> None:
        self.no_more = True
        self._go()

    def _go(self) -> None:
        if self.running:
            return
        if self.held is None and self.queue:
            self.held = self.queue.popleft()
        if self.held is None or not (self.queue or self.no_more):
            return
        # From here on the next test can't be taken back.
        index, self.held = self.held, self.queue.popleft() if self.queue else None
        module, seconds = self.suite.of[index]
        if module != self.module:
            seconds += self.suite.setups[module]
        self.module = module
        self.running = True
        self.send(seconds, partial(self._through, index))

    def _through(self, index: int) -> None:
        self.running = False
        self.suite.ran.append(index)
        self.send(MESSAGE, partial(self.ended, self, index))
        self._go()


class Times:
    """What tests take, by their place in the collection, and which have run."""

    def __init__(self, suite: Suite) -> None:
        self.of = [
            (module.path, seconds) for module in suite.modules for _, seconds in module.tests
        ]
        self.setups = {module.path: module.setup for module in suite.modules}
        self.ran: list[int] = []


def blurred(suite: Suite) -> list[Module]:
    """What is known of a suite whose times vary; an unknown test takes the mean of all."""
    chance = random.Random(0)
    mean = fmean(seconds for module in suite.modules for _, seconds in module.tests)

    def known(seconds: float) -> float:
        return mean if chance.random() < UNKNOWN else seconds * chance.lognormvariate(0, NOISE)

    return [
        Module(module.path, known(module.setup), [(test, known(s)) for test, s in module.tests])
        for module in suite.modules
    ]


Scheduler = Callable[[Any, Any, Suite], Any]


def ours(known: Callable[[Suite], Sequence[Module]], *, guessed: bool = False) -> Scheduler:
    """Batches by what is known of a suite."""

    def made(config: Any, _log: Any, suite: Suite) -> Batches:
        def divide(tests: list[str], workers: int) -> Divided:
            return batches(known(suite), workers, tests, {}), guessed

        return Batches(config, config.workers, divide)

    return made


SCHEDULERS: Mapping[str, Scheduler] = {
    "**ours**": ours(lambda suite: suite.modules),
    "ours, blurred": ours(blurred),
    "ours, first run": ours(lambda suite: all_alike(suite.tests), guessed=True),
    "load": lambda config, log, _: LoadScheduling(config, log),
    "loadfile": lambda config, log, _: LoadFileScheduling(config, log),
    "loadscope": lambda config, log, _: LoadScopeScheduling(config, log),
    "worksteal": lambda config, log, _: WorkStealingScheduling(config, log),
}


class Settings:
    """As much of a pytest configuration as schedulers ask."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.option = SimpleNamespace(
            tx=["popen"] * workers, loadscopereorder=True, maxschedchunk=None, debug=False
        )

    def getvalue(self, name: str) -> Any:
        return getattr(self.option, name)

    getoption = getvalue


def taken(scheduler: Scheduler, suite: Suite, workers: int) -> float:
    """Seconds until all is done. Raises: ValueError where a test is lost, or runs twice."""
    events: list[tuple[float, int, Callable[[], None]]] = []
    now, count = 0.0, 0

    def send(seconds: float, action: Callable[[], None]) -> None:
        nonlocal count
        count += 1
        heapq.heappush(events, (now + seconds, count, action))

    made = scheduler(Settings(workers), Producer("benchmark", enabled=False), suite)
    is_over = False

    def told() -> None:
        nonlocal is_over
        if made.tests_finished and not is_over:
            is_over = True
            for node in made.nodes:
                node.shutdown()

    def ended(worker: Worker, index: int) -> None:
        made.mark_test_complete(worker, index, 0.0)
        told()

    def given_back(worker: Worker, indices: Sequence[int]) -> None:
        made.remove_pending_tests_from_node(worker, indices)
        told()

    times, tests = Times(suite), suite.tests
    for number in range(workers):
        worker = Worker(f"gw{number}", send, times, ended, given_back)
        made.add_node(worker)
        made.add_node_collection(worker, tests)
    made.schedule()
    told()
    while events:
        now, _, action = heapq.heappop(events)
        action()
    if sorted(times.ran) != list(range(len(tests))):
        raise ValueError("not every test once")
    return now


def suites(folder: Path) -> Iterator[Suite]:
    """Of each project with each of the assumed set-ups."""
    with lzma.open(folder / "durations/networkx.json.xz") as stream:
        measured = {test: sum(one) for test, one in json.load(stream)["tests"].items()}
    durations = {"networkx": measured}
    for name in ("onegov-cloud", "pgmpy"):
        durations[name] = json.loads((folder / f"durations/{name}.json").read_bytes())
    for name, seconds in durations.items():
        tests: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
        for test, one in seconds.items():
            tests[test.partition("::")[0]].append((test, one))
        for setup in SETUPS:
            modules = [Module(path, setup, of_module) for path, of_module in tests.items()]
            yield Suite(f"{name}, {setup:g} s of set-up", modules)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--workers", type=int, nargs="+", default=WORKERS)
    parser.add_argument("--report", action="store_true", help="never end with 1 for being slower")
    given = parser.parse_args()
    print("| suite | workers | bound, s |", " | ".join(SCHEDULERS), "|")
    print("|---|---|---|" + "---|" * len(SCHEDULERS))
    beaten = 0
    for suite in suites(given.data):
        for workers in given.workers:
            bound = lower_bound(suite.modules, workers)
            ratios = [taken(one, suite, workers) / bound for one in SCHEDULERS.values()]
            beaten += ratios[0] > min(ratios[3:]) + MARGIN
            cells = " | ".join(f"{ratio:.3f}" for ratio in ratios)
            print(f"| {suite.name} | {workers} | {bound:.0f} | {cells} |", flush=True)
    print(f"\nOurs is slower by more than {MARGIN} than another in {beaten} cases.")
    return 1 if beaten and not given.report else 0


if __name__ == "__main__":
    sys.exit(main())
