"""Decides what a change selects: the main verb. Takes what was read, returns a `Selection`."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from pytest_ciopt.core.change import Change, FileChange, Status
from pytest_ciopt.core.edits.parts import FixtureReach
from pytest_ciopt.core.edits.words import words_of
from pytest_ciopt.core.graph.commands import Command, Names
from pytest_ciopt.core.graph.data_names import DataNames
from pytest_ciopt.core.graph.dependents import leads_to, search
from pytest_ciopt.core.graph.index import ImportIndex, layer
from pytest_ciopt.core.graph.reached import EntryPoints, Layout, Link, Reached
from pytest_ciopt.core.graph.scanner import Flag, scan
from pytest_ciopt.core.naming import INIT, ancestors, folder_of, module_path, names
from pytest_ciopt.core.selection import ChangedFile, Selection
from pytest_ciopt.core.testfiles import is_collected, is_test_module
from pytest_ciopt.settings import Discovery, Rules
from pytest_ciopt.usecases.effects import (
    Contents,
    Dependencies,
    Effect,
    Effects,
    is_older_data,
    is_recorded,
)
from pytest_ciopt.usecases.leading import Leads, Search

if TYPE_CHECKING:  # a run without records does not import them
    from pytest_ciopt.usecases.grounds import Ask, Importers
    from pytest_ciopt.usecases.texts import Texts

Sharpen = Callable[["Ask", "Texts"], Selection]


class Repository(NamedTuple):
    """What was read of the repository."""

    imports: ImportIndex
    contents: Contents
    top_name: str
    """Name of the folder of the checkout."""
    entry_points: tuple[EntryPoints, ...] = ()
    commands: tuple[Command, ...] = ()
    """Console scripts of the project."""
    untold: frozenset[str] = frozenset()
    """Python files that git ignores: nobody knows whether they changed."""
    links: tuple[tuple[str, str], ...] = ()
    """(symlink, what it leads to), both inside the repository."""
    data: tuple[DataNames, ...] = ()
    """Data that names modules."""
    search: Search = search


def select(
    change: Change,
    repository: Repository,
    rules: Rules,
    tests: Discovery,
    dependencies: Dependencies,
    reasons: bool = True,
    sharpen: Sharpen | None = None,
) -> Selection:
    """The frozen decision on every file and test of the repository.

    Without `reasons` the same is selected, sooner; why, is then told only in part. `sharpen` is
    asked where the answer is not everything.
    """
    return _Select(change, repository, rules, tests, dependencies, reasons).run(sharpen)


class _Select:
    def __init__(
        self,
        change: Change,
        repository: Repository,
        rules: Rules,
        tests: Discovery,
        dependencies: Dependencies,
        reasons: bool,
    ) -> None:
        self.repository, self.rules, self.tests = repository, rules, tests
        self.dependencies, self.reasons = dependencies, reasons
        self.changes = _with_links(change.files, repository.links)
        self.before = repository.contents.contents(c.before for c in self.changes if c.before)
        self.index = repository.imports._replace(base=layer(self._scans_before()))
        packages = _packages(self.index.files, self.changes) - set(self.tests.roots)
        suspects = self._suspects(packages)
        self.layout = Layout(
            packages=packages - suspects,
            suspects=suspects,
            top=repository.top_name,
            loaders=tuple(self._loaders()),
            commands=repository.commands,
            tests=tests,
            data=repository.data,
        )
        self.layout = self.layout._replace(settings=tuple(self._settings()))
        self.effects = Effects(
            repository.contents,
            self.before,
            self.index,
            self.layout.packages,
            rules,
            tests,
            dependencies,
            reasons=reasons,
        )
        self.of_readers = cache(self.effects.of_readers)
        self.named = frozenset(one.path for one in repository.data)

    def _suspects(self, packages: frozenset[str]) -> frozenset[str]:
        """Packages that may be on the search path themselves: those around a file that changes it,
        and those that it mentions, if it is a test or lies beside one."""
        words, found = set[bytes](), set[str]()
        for path in self.index.importers(Flag.PATHS):
            found.update(packages.intersection(ancestors(folder_of(path))))
            if self._is_beside_tests(path):
                words.update(words_of(self.repository.contents.read(path) or b""))
        for folder in packages if words else ():
            name = os.fsencode(folder.rpartition("/")[2])
            if name in words or words.issuperset(words_of(name)):
                found.add(folder)
        return frozenset(found)

    def _settings(self) -> Iterator[str]:
        """Files that every run loads as settings of Django."""
        ends = tuple(name.rpartition(".")[2] for name in self.tests.settings)
        for path in self.index.files if ends else ():
            if module_path(path).endswith(ends) and self._goes_by(path, self.tests.settings):
                yield path

    def _is_beside_tests(self, path: str) -> bool:
        folder = folder_of(path)
        return self._is_collected(path) or any(
            folder_of(file) == folder and self._is_collected(file)
            for file in self.index.below(folder)
        )

    def _loaders(self) -> Iterator[tuple[str, frozenset[str]]]:
        """Files that load entry points of a group in which the project registers some."""
        if not self.repository.entry_points:
            return
        for path in self.index.importers(Flag.ENTRY_POINTS):
            content = self.repository.contents.read(path) or b""
            for table in self.repository.entry_points:
                if any(group in content for group in table.groups):
                    yield path, table.modules

    def _scans_before(self) -> dict[str, frozenset[str]]:
        """A module that was deleted with its importers is reached from what those were."""
        commands = Names(command.name for command in self.repository.commands)
        return {
            change.path: scan(self.before[change.before], folder_of(change.path), commands)
            for change in self.changes
            if change.before is not None
            and change.before in self.before
            and change.path.endswith(".py")
        }

    def run(self, sharpen: Sharpen | None) -> Selection:
        effects = self.effects.of(self.changes)
        changed = tuple(
            ChangedFile(change, effect.text, effect.counts)
            for change, effect in zip(self.changes, effects, strict=True)
        )
        everything = next((e.everything for e in effects if e.everything is not None), None)
        if everything is not None:
            return self._all(everything, changed)
        selection, unreached = self._reached(effects, changed)
        if sharpen is not None and selection.everything is None:
            ask = self._ask(selection, effects, unreached, self.effects.importers)
            selection = sharpen(ask, self._texts(self.dependencies.provide))
        if unreached and not selection.records.proved:
            return self._all(_unreached(unreached[0]), changed)
        return selection

    def _texts(self, provided: Callable[[str], bool]) -> "Texts":
        from pytest_ciopt.usecases.texts import Texts

        contents, leads = self.repository.contents, self._leads(search)
        return Texts(contents, self.index, self.layout, provided, leads)

    def _leads(self, by: Search) -> Leads:
        return Leads(by, self.index, self.layout, self.of_readers)

    def _ask(
        self,
        selection: Selection,
        effects: Sequence[Effect],
        unreached: Sequence[str],
        importers: "Importers",
    ) -> "Ask":
        """What records can answer: edits of sources and of data, and nothing that a rule says."""
        from pytest_ciopt.usecases.grounds import Ask

        firm: dict[str, str] = {}
        data: dict[str, Mapping[str, str]] = {}
        ruled: str | None = None
        for change, effect in zip(self.changes, effects, strict=True):
            if not is_recorded(change, self.rules):
                firm.update(effect.seeds)
                ruled = ruled or (change.path if effect.seeds else None)
            elif is_older_data(change):
                data[change.renamed_from or change.path] = effect.seeds
        return Ask(
            selection,
            importers,
            changed=frozenset(one.change.path for one in selection.changed),
            added=frozenset(c.path for c in self.changes if _is_new_module(c)),
            firm=self._reach(firm),
            data=data,
            reach=self._reach,
            ruled=ruled,
            unreached=frozenset(unreached),
        )

    def _reach(self, seeds: Mapping[str, str]) -> frozenset[str]:
        """Files that imports lead to."""
        reached = self._leads(search).search(seeds) if seeds else Reached()
        below = (file for folder in reached.scopes for file in self.index.below(folder))
        return frozenset((*reached.files, *below))

    def _reached(
        self, effects: Sequence[Effect], changed: Sequence[ChangedFile]
    ) -> tuple[Selection, Sequence[str]]:
        """What the change reaches; and changed files that no test loads, as far as can be seen."""
        parts = {
            change.path: effect
            for change, effect in zip(self.changes, effects, strict=True)
            if effect.part is not None or effect.fixtures is not None
        }
        seeds: dict[str, str] = {}
        for effect in effects:
            for path, how in effect.seeds.items():
                seeds.setdefault(path, how)
        narrowed = {
            path: effect.part is None or effect.part.helpers for path, effect in parts.items()
        }
        found = self._leads(self.repository.search).search(seeds, narrowed, reasons=self.reasons)
        # With one change, whatever is reached is reached from it: that needs no search of its own.
        told = len(effects) == 1 and any(map(self._is_collected, found.files))
        if any(path.endswith(".py") for path in seeds):
            self._add_computed(found)
        everything = self._loaded_always(found, parts)
        if everything is not None:
            return self._all(everything, changed), ()
        unreached = () if told else tuple(self._unreached(effects))
        for path in unreached:  # who knows what loads it? Records do.
            if not self._is_edited(path):
                return self._all(_unreached(path), changed), ()
            found.scopes.setdefault("", Link(None, _unreached(path)))
        return self._selection(found, parts, changed), unreached

    def _add_computed(self, found: Reached) -> None:
        """Tests that import a module by a computed name; what loads those tests is not reached."""
        for path in self.index.importers(Flag.COMPUTED):
            if is_test_module(path, self.tests):
                found.files.setdefault(path, Link(None, "imports a module by a computed name"))
        for path in self.index.importers(Flag.COMPUTED_PLUGINS):
            link = Link(None, f"{path} loads plugins by computed names")
            found.scopes.setdefault(folder_of(path), link)

    def _selection(
        self, found: Reached, parts: Mapping[str, Effect], changed: Sequence[ChangedFile]
    ) -> Selection:
        fixtures: dict[str, FixtureReach] = {}
        for path, effect in parts.items():
            if effect.fixtures is not None and effect.fixtures.fixtures:
                fixtures[folder_of(path)] = effect.fixtures
        always = self._always()
        return Selection(
            changed=changed,
            files=found.files,
            scopes=found.scopes,
            doctests=found.doctests,
            parts={p: e.part for p, e in parts.items() if e.part and p not in found.files},
            fixtures=fixtures,
            asking=frozenset(self.index.importers(Flag.DYNAMIC_FIXTURES)),
            always=frozenset(always.files),
            always_scopes=frozenset(always.scopes),
            modules=frozenset(self.index.files) - self.repository.untold,
            hooked=bool(self.index.importers(Flag.HOOKS)),
        )

    def _all(self, reason: str, changed: Sequence[ChangedFile]) -> Selection:
        return Selection(everything=reason, changed=changed, modules=frozenset(self.index.files))

    def _always(self) -> Reached:
        """Files that can hold tests marked `ciopt_always`: those that mention it, or load one."""
        mention = self.index.importers(Flag.ALWAYS)
        if not mention:
            return Reached()
        found = search(dict.fromkeys(mention, ""), self.index, self.layout, reasons=False)
        if any(self._goes_by(path, self.tests.plugins) for path in found.files):
            found.scopes[""] = Link(None, "a plugin of every run mentions ciopt_always")
        return found

    def _loaded_always(self, found: Reached, parts: Mapping[str, Effect]) -> str | None:
        """A reached plugin that every run loads."""
        for path in sorted({*found.files, *parts}) if self.tests.plugins else ():
            if self._goes_by(path, self.tests.plugins):
                return f"global: the plugin {path} is loaded in every run and is reached"
        return None

    def _goes_by(self, path: str, given: Iterable[str]) -> bool:
        """Whether a file can be imported by one of some names."""
        known = names(path, self.layout.packages, self.layout.top)
        return not set(given).isdisjoint(known)

    def _unreached(self, effects: Sequence[Effect]) -> Iterator[str]:
        for change, effect in zip(self.changes, effects, strict=True):
            if effect.must_reach and not any(
                leads_to(path, self.index, self.layout, self._is_loaded)
                for path in sorted(effect.seeds)
            ):
                yield change.path

    def _is_edited(self, path: str) -> bool:
        """Whether a Python file was there before."""
        return path.endswith(".py") and any(
            change.path == path and change.status is Status.MODIFIED for change in self.changes
        )

    def _is_loaded(self, path: str) -> bool:
        known = path in self.named or path in self.layout.settings
        return known or self._is_collected(path)

    def _is_collected(self, path: str) -> bool:
        return is_collected(path, self.tests)


def _unreached(path: str) -> str:
    return f"global: no test imports {path}, so something may load it dynamically"


def _is_new_module(change: FileChange) -> bool:
    """Whether the base may lack a module that is there now."""
    return change.path.endswith(".py") and change.status not in (Status.MODIFIED, Status.MODE)


def _packages(files: Sequence[str], changes: Sequence[FileChange]) -> frozenset[str]:
    """Folders with an `__init__.py`, now or at the base."""
    end = "/" + INIT
    found = {path.removesuffix(end) for path in files if path.endswith(end)}
    found.update(c.path.removesuffix(end) for c in changes if c.path.endswith(end))
    if INIT in files[:1] or any(path == INIT for path in files):
        found.add("")
    return frozenset(found)


def _with_links(
    changes: Sequence[FileChange], links: Sequence[tuple[str, str]]
) -> tuple[FileChange, ...]:
    """Adds what a changed file is called through symlinks."""
    found = {change.path: change for change in changes}
    for change in changes:
        for link, target in links:
            if target in (change.path, *ancestors(folder_of(change.path))):
                shown = link + change.path[len(target) :]
                status = Status.TYPE if shown.endswith(".py") else change.status
                found.setdefault(shown, FileChange(shown, status))
    return tuple(found[path] for path in sorted(found))
