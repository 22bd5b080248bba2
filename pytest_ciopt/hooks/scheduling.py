"""Gives xdist's workers batches by what they will take: `core/plan/batches.py`, `dispatch.py`.

Loaded only together with xdist.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from xdist.report import report_collection_diff  # type: ignore[import-untyped]
from xdist.workermanage import WorkerController  # type: ignore[import-untyped]

from pytest_ciopt.adapters.statedir import replace_whole
from pytest_ciopt.core.nodeids import module_of, repository_id
from pytest_ciopt.core.plan.batches import Batch, batches
from pytest_ciopt.core.plan.dispatch import HELD, Dispatch
from pytest_ciopt.core.plan.work import Module
from pytest_ciopt.hooks.groups import group_of
from pytest_ciopt.hooks.harmless import Breakable, harmless
from pytest_ciopt.hooks.request import where_of
from pytest_ciopt.settings import Discovery
from pytest_ciopt.usecases import planning

_NAME = "ciopt-dist"
_KEY = "ciopt_groups"
"""In `workerinput`."""
_GROUPS = "groups.json"


def start(config: pytest.Config) -> None:
    """Registers what divides the tests in the controller of workers, and what tells of groups in a
    worker. Raises: pytest.UsageError."""
    folder: str | None = getattr(config, "workerinput", {}).get(_KEY)
    if folder is not None:
        config.pluginmanager.register(Groups(Path(folder)), f"{_NAME}-groups")
    if hasattr(config, "workerinput"):
        return
    dist = getattr(config.option, "dist", "no")
    if dist == "no":
        return
    if dist != "load":
        raise pytest.UsageError(f"--ciopt-dist is given beside --dist={dist}. Leave one out.")
    config.pluginmanager.register(Scheduler(config), _NAME)


class Groups(Breakable):
    """A worker knows which tests belong together, and its controller only their ids."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @pytest.hookimpl(tryfirst=True)  # before the worker sends the ids
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Leaves a file for the controller, if any test has a group."""
        self._leave(session)

    @harmless  # a worker on another machine does not have the folder
    def _leave(self, session: pytest.Session) -> None:
        groups = {item.nodeid: group for item in session.items if (group := group_of(item))}
        if groups:
            replace_whole(self._folder / _GROUPS, json.dumps(groups).encode("ascii"))


class Scheduler:
    """Answers xdist's question."""

    def __init__(self, config: pytest.Config) -> None:
        folder = TemporaryDirectory(prefix="ciopt-groups-")
        config.add_cleanup(folder.cleanup)
        self._folder = folder.name
        self._started = 0

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tells a starting worker where groups are written."""
        self._started += 1
        node.workerinput[_KEY] = self._folder

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config) -> "Batches":
        """Instead of the one of `--dist`."""
        divide = partial(_divided, config, Path(self._folder) / _GROUPS)
        return Batches(config, self._started, divide)


Divided = tuple[list[Batch], bool]
"""Batches, and whether nobody knows what they take."""


class Batches:
    """What xdist asks (its `Scheduling` protocol), answered by `Dispatch`.

    Tests go by their place in the collection, which is the same in all workers: several may have
    one id.
    """

    def __init__(
        self,
        config: pytest.Config,
        workers: int,
        divide: Callable[[list[str], int], Divided],
    ) -> None:
        """`divide` makes batches of all tests for a number of workers."""
        self.config = config
        """Other plugins ask for it."""
        self._divided = divide
        self._number = workers
        self._nodes: dict[WorkerController, None] = {}
        self._collected: dict[WorkerController, Sequence[str]] = {}
        self._dispatch: Dispatch[WorkerController] | None = None

    @property
    def nodes(self) -> list[WorkerController]:
        """Workers that are there."""
        return list(self._nodes)

    @property
    def collection_is_completed(self) -> bool:
        """Whether as many workers have collected as were asked for."""
        return len(self._collected) >= self._number

    @property
    def tests_finished(self) -> bool:
        """Whether workers need only to be told that nothing comes after what they have."""
        if self._dispatch is None or self._dispatch.is_waiting:
            return False
        return all(left < HELD for left in self._dispatch.left().values())

    @property
    def has_pending(self) -> bool:
        """Whether any test has not ended."""
        if self._dispatch is None:
            return False
        return not self._dispatch.is_empty or any(self._dispatch.left().values())

    def add_node(self, node: WorkerController) -> None:
        """A worker has started, and collects now."""
        self._nodes[node] = None

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        """A worker has collected; if tests run already, it comes for one that died."""
        if self._dispatch is not None:
            if list(collection) != list(self._official()):
                self._turn_away(node, collection)
                return
            self._dispatch.join(node)
        self._collected[node] = collection

    def schedule(self) -> None:
        """Whoever needs tests gets them. Asked once all have collected, and for each late one."""
        if self._dispatch is None:
            self._dispatch = self._divide()
        self._give_all()

    def mark_test_complete(
        self, node: WorkerController, item_index: int, duration: float = 0
    ) -> None:
        """A worker is through with a test; how long it took is not looked at."""
        assert self._dispatch is not None
        self._dispatch.ended(node, str(item_index))
        self._give(node)
        self._level()

    def mark_test_pending(self, item: str) -> None:
        """A plugin wants a test to run again that a worker died in."""
        assert self._dispatch is not None
        self._dispatch.again(str(self._official().index(item)))
        self._give_all()

    def remove_pending_tests_from_node(
        self, node: WorkerController, indices: Sequence[int]
    ) -> None:
        """Answers the command to give tests back: all that were asked for, or none."""
        assert self._dispatch is not None
        self._dispatch.given_back(node, map(str, indices))
        self._give_all()

    def remove_node(self, node: WorkerController) -> str | None:
        """A worker is gone. Returns the test that it died in. Raises: KeyError, if unknown."""
        del self._nodes[node]
        if self._dispatch is None or node not in self._dispatch.left():
            return None
        died_in = self._dispatch.leave(node)
        self._give_all()
        return None if died_in is None else self._official()[int(died_in)]

    def _official(self) -> Sequence[str]:
        """What all workers collected."""
        return next(iter(self._collected.values()))

    def _give_all(self) -> None:
        for node in self.nodes:
            self._give(node)
        self._level()

    def _give(self, node: WorkerController) -> None:
        assert self._dispatch is not None
        if node.shutting_down or node not in self._dispatch.left():
            return
        if tests := self._dispatch.more(node):
            node.send_runtest_some(list(map(int, tests)))

    def _level(self) -> None:
        """When nothing waits, an idle worker gets something of another one, or it ends."""
        assert self._dispatch is not None
        for idle, left in self._dispatch.left().items():
            if self._dispatch.is_waiting:
                return
            if left >= HELD or idle.shutting_down:
                continue
            if (asked := self._dispatch.ask(idle)) is None:
                idle.shutdown()
            else:
                node, tests = asked
                node.send_steal(list(map(int, tests)))

    def _divide(self) -> Dispatch[WorkerController]:
        (first, tests), *others = self._collected.items()
        differ = False
        for node, collection in others:
            differ |= self._tell_difference(first, tests, node, collection)
        places: dict[str, list[str]] = {}
        for index, test in enumerate(tests):
            places.setdefault(test, []).append(str(index))
        found, guessed = ([], False) if differ else self._divided(list(places), self._number)
        placed = (
            replace(one, tests=[place for test in one.tests for place in places[test]])
            for one in found
        )
        dispatch = Dispatch[WorkerController](placed, takes_back=guessed)
        for node in self._nodes:
            if node in self._collected:
                dispatch.join(node)
        return dispatch

    def _turn_away(self, node: WorkerController, collection: Sequence[str]) -> None:
        """Its tests are other ones, so it can't run those that wait."""
        assert self._dispatch is not None
        (first, tests), *_ = self._collected.items()
        self._tell_difference(first, tests, node, collection)
        node.shutdown()
        if all(other.shutting_down for other in self._nodes):
            lost = [self._official()[int(test)] for test in self._dispatch.forget()]
            if lost:
                self._fail(node, "Nobody is left to run these tests:\n" + "\n".join(lost))

    def _tell_difference(
        self,
        first: WorkerController,
        tests: Sequence[str],
        node: WorkerController,
        collection: Sequence[str],
    ) -> bool:
        """Whether two workers differ; if so, that is an error of collection."""
        message = report_collection_diff(tests, collection, first.gateway.id, node.gateway.id)
        if message:
            self._fail(node, message)
        return bool(message)

    def _fail(self, node: WorkerController, message: str) -> None:
        """An error of collection, which fails the run."""
        report = pytest.CollectReport(node.gateway.id, "failed", message, [])
        self.config.hook.pytest_collectreport(report=report)


def _divided(config: pytest.Config, told: Path, tests: list[str], workers: int) -> Divided:
    """By the history, and by the groups that workers have `told` of in a file."""
    groups: dict[str, str] = {}
    try:
        if told.exists():
            groups = json.loads(told.read_bytes())
        known = _known(config, tests)
        modules = known or planning.all_alike(tests)
        return batches(modules, workers, tests, groups), not known
    except Exception:  # of ours: then each module is a batch
        of_each: dict[str, list[str]] = {}
        for test in tests:
            of_each.setdefault(groups.get(test, module_of(test)), []).append(test)
        return [Batch(name, rest, len(rest), whole=True) for name, rest in of_each.items()], False


def _known(config: pytest.Config, tests: list[str]) -> list[Module]:
    """The tests by their node ids, with what the history expects of them; nothing where it knows
    none."""
    where = where_of(config)
    plain = {repository_id(where.root, test): test for test in tests}
    files = planning.tree(where.top, where.git, Discovery(), [""])
    found = planning.by_history(where.state, files, plain).modules
    return [Module(m.path, m.setup, [(plain[t], s) for t, s in m.tests]) for m in found]
