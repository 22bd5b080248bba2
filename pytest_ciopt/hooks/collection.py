"""Applies a decision to what pytest collects. The same in one process and in xdist workers."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pluggy
import pytest

from pytest_ciopt.core.nodeids import defines
from pytest_ciopt.core.selection import Decision, Verdict
from pytest_ciopt.core.testfiles import is_test_module
from pytest_ciopt.hooks.answers import paths
from pytest_ciopt.hooks.groups import group_of
from pytest_ciopt.hooks.items import Describer
from pytest_ciopt.hooks.options import ARGUMENTS, REASON
from pytest_ciopt.hooks.request import collects_other_files
from pytest_ciopt.hooks.run import Run
from pytest_ciopt.report.outcome import DecidedTest


class Collection:
    """Keeps modules of which nothing runs from being imported, and drops tests from the rest."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._describer = Describer(run.top, run.rootpath)
        self._session: pytest.Session | None = None
        self._asked: tuple[str, ...] = ("",)
        self._declared: dict[str, str | None] = {}
        """How a hook connects a file with the change."""
        self._touched: set[str] = set()
        """Files whose text changed without effect, but that others than pytest may collect."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> None:
        """With nothing to run, the session is an empty one in this process."""
        if self.run.ends_early:
            config.stash[ARGUMENTS] = config.args
            config.args = []
            for option, value in (("numprocesses", 0), ("dist", "no"), ("tx", [])):
                if hasattr(config.option, option):
                    setattr(config.option, option, value)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Files that are named on the command line never get to `pytest_ignore_collect`."""
        self._session = session
        self._describer = Describer(self.run.top, self.run.rootpath)
        config = session.config
        self._asked = tuple(self._asked_places(config))
        config.args = [a for a in config.args if not self._drops_argument(a, config)]

    def _asked_places(self, config: pytest.Config) -> Iterator[str]:
        """Files, and folders with a slash at the end; "" where everything is asked for.

        pytest asks about the neighbours of a named file too, but nobody wanted those.
        """
        for argument in config.args:
            path = config.invocation_params.dir / argument.partition("::")[0]
            place = self._describer.place(path)
            if place in (None, ".") or not path.exists():
                yield ""
            else:
                yield f"{place}/" if path.is_dir() else f"{place}"

    def _drops_argument(self, argument: str, config: pytest.Config) -> bool:
        if self.run.selection.hooked:  # conftests beside the file are not loaded yet
            return False
        name, _, within = argument.partition("::")
        path = Path(os.path.normpath(config.invocation_params.dir / name))
        if not path.is_file() or not self._drops(path, config):
            return False
        return not within or defines(path.read_bytes(), within)

    def pytest_ignore_collect(self, collection_path: Path, config: pytest.Config) -> bool | None:
        """Ignores modules of which nothing runs."""
        return True if self._drops(collection_path, config) else None

    def _drops(self, path: Path, config: pytest.Config) -> bool:
        selection = self.run.selection
        if selection.everything is not None or path.suffix != ".py" or path.is_dir():
            return False
        place = self._describer.place(path)
        verdict = Verdict.UNKNOWN if place is None else selection.verdict(place)
        if place is None or verdict in (Verdict.ALL, Verdict.UNKNOWN):
            return False
        if verdict is Verdict.SOME or self._always_asked(path, config):
            return False
        if self._hook_reason(path, place, config) is not None:
            return False
        if self._may_hold_more(place, config):
            return False
        asked = any(place == one or place.startswith(one) for one in self._asked)
        if asked and is_test_module(place, self.run.tests):
            self.run.outcome.dropped_modules[place] = selection.why_not(place)
        elif asked and self.run.tests.doctest_modules and _has_doctests(path):
            self.run.outcome.dropped_files.add(place)
        return True

    def _hook(self, path: Path, config: pytest.Config) -> pluggy.HookRelay:
        session = self._session
        return config.hook if session is None else session.gethookproxy(path.parent)

    def _always_asked(self, path: Path, config: pytest.Config) -> bool:
        return bool(self._hook(path, config).pytest_ciopt_always.get_hookimpls())

    def _hook_reason(self, path: Path, place: str, config: pytest.Config) -> str | None:
        """How a hook connects the file with the change; each file is asked about once."""
        if place not in self._declared:
            told = self._hook(path, config).pytest_ciopt_dependencies(path=path, config=config)
            globs = [self._glob(one) for one in paths(told, "pytest_ciopt_dependencies")]
            self._declared[place] = self.run.selection.depends(globs)
        return self._declared[place]

    def _glob(self, told: str | Path) -> str:
        """A path, folder or glob of a hook, relative to the top of the repository."""
        whole = self.run.rootpath / told
        place = self._describer.place(whole)
        if place is None:
            return str(told)
        return f"{place}/**" if whole.is_dir() else place

    def _may_hold_more(self, place: str, config: pytest.Config) -> bool:
        """A plugin such as a linter's may collect a file whose text changed without effect."""
        touched = self.run.selection.touches(place)
        if touched and collects_other_files(config.pluginmanager):
            self._touched.add(place)
        return place in self._touched

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> Generator[None, object, object]:
        """Drops the tests that the change cannot affect, after all others had their say."""
        result = yield
        self._select(config, items)
        return result

    def _select(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        kept: list[pytest.Item] = []
        dropped: list[pytest.Item] = []
        for item in items:
            place = self._describer.place(item.path)
            decision = self._decide(item, place)
            (kept if decision.selected else dropped).append(item)
            if decision.selected and place is not None and self.run.settings.json is not None:
                for fixture in self._describer.shared_fixtures(item):
                    self.run.outcome.fixtures.setdefault(fixture, set()).add(place)
            if self.run.selection.everything is None:
                item.stash[REASON] = decision.reason
            self.run.outcome.tests.append(
                DecidedTest(item.nodeid, place, decision.selected, decision.reason, group_of(item))
            )
        if dropped:
            items[:] = kept
            config.hook.pytest_deselected(items=dropped)

    def _decide(self, item: pytest.Item, place: str | None) -> Decision:
        if self.run.selection.everything is not None:
            return Decision(True, self.run.selection.everything)
        declared = None if place is None else self._hook_reason(item.path, place, item.config)
        if declared is not None:
            return Decision(True, declared)
        if place in self._touched and not isinstance(item, pytest.Function | pytest.DoctestItem):
            return Decision(True, "its text changed")
        return self.run.selection.decide(self._describer.describe(item))


def _has_doctests(path: Path) -> bool:
    """Whether a module can have any; one that cannot be read can."""
    try:
        return b">>>" in path.read_bytes()
    except OSError:
        return True
