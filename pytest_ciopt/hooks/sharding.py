"""Carries a plan of shards out: what other shards run is not collected, or deselected."""

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pytest_ciopt.adapters import crashlog
from pytest_ciopt.adapters.environment import environ, given_back, taken
from pytest_ciopt.adapters.paths import place_of, root_of
from pytest_ciopt.core.ci import in_ci
from pytest_ciopt.core.nodeids import module_of, placed_id, repository_id
from pytest_ciopt.core.plan.document import decoded, digest, encoded
from pytest_ciopt.core.plan.plan import HISTORY
from pytest_ciopt.core.plan.position import AUTO, Position, position
from pytest_ciopt.core.testfiles import is_test_module, is_text_test
from pytest_ciopt.errors import CioptError
from pytest_ciopt.hooks import precedence
from pytest_ciopt.hooks.options import SHARD
from pytest_ciopt.hooks.request import (
    collects_other_files,
    settings_of,
    strict,
    test_files_of,
    where_of,
)
from pytest_ciopt.report import shards
from pytest_ciopt.settings import Discovery, Settings
from pytest_ciopt.usecases.sharding import Agreed, Asked, agreed

_SHARED, _OWN = "shared", "own"


def start(config: pytest.Config) -> None:
    """Registers what carries the plan out. Raises: pytest.UsageError."""
    shipped: dict[str, Any] | None = getattr(config, "workerinput", {}).get(SHARD)
    if shipped is not None:
        told = Agreed(decoded(shipped["plan"]))
        where = Position(shipped["number"], told.plan.shards)
        tests = test_files_of(config, config.option)
        sharding = Sharding(told, where, Path(shipped["top"]), config.rootpath, tests)
        config.pluginmanager.register(sharding, SHARD)
    if hasattr(config, "workerinput"):  # it was told, or its controller runs everything
        return
    try:
        asked = _asked(config)
        told = agreed(asked)
        told = replace(told, told=(*told.told, *precedence.note(config, told.plan.base)))
        sharding = Sharding(told, asked.position, asked.top, config.rootpath, asked.tests)
    except CioptError as error:
        raise pytest.UsageError(str(error)) from error
    except Exception as error:  # of ours: no test may be lost by it
        what = f"pytest-ciopt failed with {type(error).__name__}: {error}"
        place = crashlog.write(error, None)
        if strict(config, config.option):
            raise pytest.UsageError(f"{what} (details in {place})") from error
        why = f"all tests run and not only those of the shard: {what} (details in {place})"
        config.pluginmanager.register(Failure(why), SHARD + "-failure")
        return
    config.pluginmanager.register(sharding, SHARD)
    shared = config.getini("ciopt_shard_history") == _SHARED or in_ci(environ())
    local = asked.plan is None and told.plan.origin == HISTORY and not shared
    config.pluginmanager.register(Telling(sharding, local=local), f"{SHARD}-telling")


def _asked(config: pytest.Config) -> Asked:
    # Tests may run pytest themselves, and those runs are no shards. Another run of this process is.
    variables = {name: taken(name) for name in ("CIOPT_SHARD", "CIOPT_PLAN")}
    for name, value in variables.items():
        config.add_cleanup(partial(given_back, name, value))
    given, plan = config.getoption("ciopt_shard"), config.getoption("ciopt_plan")
    for flag, word, meant in (("shard", given, "2/4"), ("plan", plan, "ciopt-plan.json")):
        if word == "":
            raise CioptError(f"--ciopt-{flag} is empty", f"Give a value, for example {meant}.")
    said, plan = variables["CIOPT_SHARD"], plan or variables["CIOPT_PLAN"]
    # A matrix of GitHub has no variables but those that its workflow makes of it.
    written = said if said and (given is None or given.strip().lower() == AUTO) else given
    if written is None:
        raise CioptError("--ciopt-plan is given without --ciopt-shard", "Say which shard to run.")
    config.option.ciopt_shard, config.option.ciopt_plan = written, plan
    number, where = position(written, environ()), where_of(config)
    if plan and config.getoption("ciopt_changed") is not None:
        selecting = "--ciopt-changed is given beside --ciopt-plan"
        raise CioptError(
            selecting, "A plan is of one selection: make it with `ciopt plan --changed`."
        )
    durations = config.getini("ciopt_durations")
    history = config.getini("ciopt_shard_history") or _OWN
    if history not in (_SHARED, _OWN):
        raise CioptError(f"ciopt_shard_history is {history!r}", "Use own or shared.")
    path = config.invocation_params.dir / plan if plan else None
    chosen = Settings() if path is None else settings_of(config, config.option)
    return Asked(
        position=number,
        top=where.top,
        git=where.git,
        state=where.state,
        tests=test_files_of(config, config.option),
        places=tuple(_places(config, where.top)),
        plan=path,
        durations=config.rootpath / durations if durations else None,
        private=history == _SHARED or not in_ci(environ()),
        rules=chosen.rules,
        given=frozenset(place_of(one, where.top) for one in (*chosen.outputs, path) if one),
    )


def _places(config: pytest.Config, top: Path) -> Iterator[str]:
    """Files, and folders with a slash at the end; "" where everything is asked for."""
    for argument in config.args:
        path = config.invocation_params.dir / argument.partition("::")[0]
        place = place_of(path, top)
        if place in (None, ".") or not path.exists():
            yield ""
        else:
            yield f"{place}/" if path.is_dir() else str(place)


class Sharding:
    """Leaves to the other shards what is theirs. The same in one process and in xdist workers."""

    def __init__(
        self, told: Agreed, where: Position, top: Path, rootpath: Path, tests: Discovery
    ) -> None:
        self.told, self.plan, self.position = told, told.plan, where
        self.own = 0
        """Tests of this shard, before anybody else deselects some."""
        self.others = 0
        """Tests of other shards that had to be collected."""
        self.unread: set[str] = set()
        """Test files of which this shard runs nothing."""
        self._tests, self._top = tests, top
        self._others_collect = False
        self._places: dict[Path, str | None] = {}
        self._root = root_of(rootpath, top)

    def _is_left(self, path: Path) -> bool:
        """Whether a file holds nothing for this shard."""
        place = self._place(path)
        if place is None or self.plan.runs_any(place, self.position.number):
            return False
        module = self._tests.doctest_modules or is_test_module(place, self._tests)
        if module or is_text_test(place, self._tests) or self._others_collect:
            self.unread.add(place)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Files that are named on the command line never get to `pytest_ignore_collect`."""
        config = session.config
        self._others_collect = collects_other_files(config.pluginmanager)
        config.args = [word for word in config.args if not self._drops(word, config)]

    def _drops(self, argument: str, config: pytest.Config) -> bool:
        path = Path(os.path.normpath(config.invocation_params.dir / argument))
        if "::" in argument or not path.is_file() or not self._is_left(path):
            return False
        self.unread.add(argument)
        return True

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Files of which other shards run everything are not imported."""
        return True if not collection_path.is_dir() and self._is_left(collection_path) else None

    @pytest.hookimpl(tryfirst=True)  # before the ids are altered, and before others deselect some
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Of files that several shards share each has some."""
        own: list[pytest.Item] = []
        others: list[pytest.Item] = []
        for item in items:
            (own if self._is_own(item) else others).append(item)
        self.own, self.others = len(own), len(others)
        if others:
            items[:] = own
            config.hook.pytest_deselected(items=others)

    def _is_own(self, item: pytest.Item) -> bool:
        """Decided by the file that was read for it, as whether to read it was: the path of a test,
        and the one in its id, may be others."""
        file = next((node for node in item.listchain() if isinstance(node, pytest.File)), item)
        place = self._place(file.path)
        if place is None:
            test = repository_id(self._root, item.nodeid)
            path = module_of(test)
        else:
            test, path = placed_id(place, item.nodeid), place
        if self.plan.leaves(test, path):
            return False
        return self.plan.shard_of(test, path) == self.position.number

    def _place(self, path: Path) -> str | None:
        if path not in self._places:
            self._places[path] = place_of(path, self._top)
        return self._places[path]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A worker tells what became of it."""
        output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[SHARD] = [self.own, self.others, sorted(self.unread)]

    def fill(self, told: list[Any]) -> None:
        """Takes over what a worker tells; all of them collect the same."""
        self.own, self.others, unread = told
        self.unread = set(unread)

    @property
    def is_part(self) -> bool:
        """Whether tests were left to other shards, or by the plan's selection."""
        return bool(self.others or self.unread or self.plan.base is not None)

    @property
    def digest(self) -> str:
        """Of the plan."""
        return digest(self.plan)

    def shipped(self) -> dict[str, object]:
        """What a worker has to know."""
        number, top = self.position.number, str(self._top)
        return {"plan": encoded(self.plan), "number": number, "top": top}


class Failure:
    """Tells why there is no sharding."""

    def __init__(self, told: str) -> None:
        self._told = told

    def pytest_report_header(self) -> str:
        """One line."""
        return f"ciopt: {self._told}"


class Telling:
    """Header, summary and exit code; not in xdist workers."""

    def __init__(self, sharding: Sharding, *, local: bool) -> None:
        """`local` says that the plan is made of what this machine alone has recorded."""
        self._sharding, self._local = sharding, local

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Ships the plan to a starting worker of xdist."""
        node.workerinput[SHARD] = self._sharding.shipped()

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """What the worker says of its collection."""
        told = getattr(node, "workeroutput", {}).get(SHARD)
        if told is not None:
            self._sharding.fill(told)

    def pytest_report_header(self) -> str:
        """One line."""
        local = " of this machine, which has to run all shards" if self._local else ""
        return shards.header(self._sharding.position, self._sharding.plan, local)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A shard without tests is no mistake, also when `-k` or `-m` leave it none: others have
        some. That nothing is there at all is one."""
        nothing = session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED
        if nothing and self._sharding.is_part:
            session.exitstatus = pytest.ExitCode.OK

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """What this shard had, and what could be better."""
        sharding = self._sharding
        if terminalreporter.config.getoption("no_summary", False):
            return
        lines = [f"note: {line}" for line in sharding.told.told]
        if sharding.position.shards > 1:  # else there are no others
            counts = sharding.own, sharding.others, len(sharding.unread)
            lines.insert(0, shards.summary(sharding.position, *counts))
        for line in lines:
            terminalreporter.write_line(f"ciopt: {line}")
