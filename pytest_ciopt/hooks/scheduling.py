"""Gives xdist's workers batches by what they will take, see `core/plan/batches.py`.

Loaded only together with xdist.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from pytest_ciopt.adapters.statedir import replace_whole
from pytest_ciopt.core.history.forecast import module_of
from pytest_ciopt.core.nodeids import repository_id
from pytest_ciopt.core.plan.batches import batches
from pytest_ciopt.core.plan.work import Module
from pytest_ciopt.hooks.harmless import Breakable, harmless
from pytest_ciopt.hooks.items import group_of
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

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tells a starting worker where groups are written."""
        node.workerinput[_KEY] = self._folder

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> "Batches":
        """Instead of the one of `--dist`."""
        return Batches(config, log, Path(self._folder) / _GROUPS)


class Batches(LoadScopeScheduling):  # type: ignore[misc]
    """Scopes are batches."""

    def __init__(self, config: pytest.Config, log: Any, groups: Path) -> None:
        """`groups` is the file that workers may have written."""
        super().__init__(config, log)
        self._groups = groups
        self._batches: dict[str, str] = {}
        self._weights: dict[str, float] = {}

    def schedule(self) -> None:
        """Divides the tests when all workers have collected."""
        if self.collection is None and not self._batches:
            self._divide(list(next(iter(self.registered_collections.values()))))
            self.workqueue = Heaviest(self._weights)
        super().schedule()

    def _divide(self, tests: list[str]) -> None:
        groups: dict[str, str] = {}
        try:
            if self._groups.exists():
                groups = json.loads(self._groups.read_bytes())
            self._weigh(tests, groups)
        except Exception as error:  # of ours: then each module is a batch
            self.log("batches failed:", repr(error))
            self._batches = {test: groups.get(test, module_of(test)) for test in tests}

    def _weigh(self, tests: list[str], groups: Mapping[str, str]) -> None:
        found = batches(_known(self.config, tests), self.numnodes, tests, groups)
        self._batches = {test: batch.name for batch in found for test in batch.tests}
        self._weights = {batch.name: batch.weight for batch in found}

    def _split_scope(self, nodeid: str) -> str:
        return self._batches[nodeid]


class Heaviest(OrderedDict[str, Any]):
    """xdist takes the first batch: that is the heaviest one."""

    def __init__(self, weights: dict[str, float]) -> None:
        super().__init__()
        self._of = weights
        self._sorted = True

    def __setitem__(self, name: str, tests: Any) -> None:
        self._sorted = False
        super().__setitem__(name, tests)

    def popitem(self, last: bool = True) -> tuple[str, Any]:
        """Of those that are left; `last` is not looked at."""
        if not self._sorted:
            for name in sorted(self, key=lambda one: (-self._of.get(one, 0.0), one)):
                self.move_to_end(name)
            self._sorted = True
        return super().popitem(last=False)


def _known(config: pytest.Config, tests: list[str]) -> list[Module]:
    """The tests by their node ids, with what the history expects of them; all alike where it knows
    none."""
    where = where_of(config)
    plain = {repository_id(where.root, test): test for test in tests}
    files = planning.tree(where.top, where.git, Discovery(), [""])
    found = planning.by_history(where.state, files, plain).modules
    if not found:
        return planning.all_alike(tests)
    return [Module(m.path, m.setup, [(plain[t], s) for t, s in m.tests]) for m in found]
