"""From a folder and settings to a decision: reads everything, and survives whatever happens.

Both doors (pytest and the command line) come in here. Any failure of ours ends in "everything
runs", with the reason; only what a person typed wrong is an error.
"""

import gc
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pytest_ciopt.adapters import data_names, entrypoints, environment, sources
from pytest_ciopt.adapters.baseref import UnknownBase, resolve
from pytest_ciopt.adapters.git import Git, GitError
from pytest_ciopt.adapters.listing import Listing
from pytest_ciopt.adapters.paths import place_of
from pytest_ciopt.adapters.search_cache import RememberedSearch
from pytest_ciopt.adapters.statedir import SEGMENTS, StateDir
from pytest_ciopt.adapters.worktree import Worktree
from pytest_ciopt.core.base import Base, NoBase, Passed
from pytest_ciopt.core.change import Change, FileChange, Status
from pytest_ciopt.core.graph.commands import Names
from pytest_ciopt.core.graph.scanner import Flag
from pytest_ciopt.core.selection import Selection
from pytest_ciopt.errors import CioptError
from pytest_ciopt.settings import Discovery, Settings
from pytest_ciopt.usecases.emptiness import hidden_tests, nothing_runs, text_tests
from pytest_ciopt.usecases.select import Repository, select

if TYPE_CHECKING:  # few runs need them
    from pytest_ciopt.adapters.distributions import Installed
    from pytest_ciopt.usecases.grounds import Ask
    from pytest_ciopt.usecases.texts import Texts


class Decided(NamedTuple):
    """A decision, and what people are told about how it came about."""

    selection: Selection
    top: Path | None = None
    """Top of the repository; None without one."""
    base: Base | None = None
    mend: str = ""
    """What to do so that not everything has to run; empty when nothing needs mending."""
    notes: tuple[str, ...] = ()
    ends_early: bool = False
    """Whether nothing will run, whatever is collected of the repository."""
    files: frozenset[str] = frozenset()
    """Every Python file of the repository that is known, ignored ones included, and every text
    file whose doctests are collected."""
    hidden: Callable[[], Iterable[str]] = tuple
    """Looks for test modules that git does not tell about."""
    collects: bool = False
    """Whether a file of the repository can have others than test modules collected."""


class InternalError(CioptError):
    """An error of our own, under `--ciopt-strict`."""


def decide(
    folder: Path,
    settings: Settings,
    tests: Discovery,
    declared: Sequence[str] = (),
    git: Git | None = None,
    *,
    reasons: bool = True,
) -> Decided:
    """`declared` are further changed files (repository-relative), from hooks.

    `git` is that of the folder, where the caller has asked for it already. Without `reasons` the
    same is decided, sooner.

    Raises: UnknownBase for a typed base that does not exist; InternalError under `strict`.
    """
    top: Path | None = None
    collects = gc.isenabled()
    gc.disable()  # it would look through trees and records by the thousand, and find no garbage
    try:
        git = git or Git(folder)
        top = git.top
        state = StateDir(top / (settings.state_dir or ".ciopt"))
        return _decided(git, state, settings, tests, declared, reasons)
    except UnknownBase:
        raise
    except GitError as error:
        return Decided(Selection(everything=error.what), top, mend=error.mend)
    except Exception as error:
        return failed(error, top, settings)
    finally:
        if collects:
            gc.enable()


def failed(error: Exception, top: Path | None, settings: Settings) -> Decided:
    """Everything runs after an error of ours. Raises: InternalError under `strict`."""
    state = None if top is None else StateDir(top / (settings.state_dir or ".ciopt"))
    what = f"pytest-ciopt failed with {_logged(error, state)}"
    mend = "Please report this with that file."
    if settings.strict:
        raise InternalError(what, mend) from error
    return Decided(Selection(everything=what), top, mend=mend)


def _logged(error: Exception, state: StateDir | None) -> str:
    from pytest_ciopt.adapters import crashlog  # not for runs that go well

    place = crashlog.write(error, state)
    return f"{type(error).__name__}: {error} (details in {place})"


def _decided(
    git: Git,
    state: StateDir,
    settings: Settings,
    tests: Discovery,
    declared: Sequence[str],
    reasons: bool,
) -> Decided:
    base = base_of(git, settings, state)
    if isinstance(base, NoBase):
        return Decided(Selection(everything=base.why), git.top, mend=base.mend)
    worktree = Worktree(git, state)
    listing = worktree.listing()
    written = {place_of(output, git.top) for output in settings.outputs}
    listing.untracked[:] = (path for path in listing.untracked if path not in written)
    change = _with_declared(worktree.change(base.commit, listing), declared)
    repository, plugins, note = _read(git, state, worktree, listing)
    roots = (place_of(root, git.top) for root in (*tests.roots, *environment.module_folders()))
    tests = tests._replace(
        plugins=(*tests.plugins, *plugins),
        roots=tuple(dict.fromkeys(filter(None, roots))),
    )
    records = _Records(state, worktree, listing, settings, passed=base.passed)
    selection = select(
        change,
        repository,
        settings.rules,
        tests,
        _Dependencies(git.top),
        reasons,
        records.sharpened if records.exist or settings.environment else None,
    )
    return Decided(
        selection,
        git.top,
        base,
        notes=(*((note,) if note else ()), *records.told),
        ends_early=nothing_runs(selection, repository.imports, worktree, git.top, listing, tests),
        files=frozenset((*repository.imports.files, *text_tests(listing, tests))),
        hidden=lambda: hidden_tests(git.top, listing, tests),
        collects=bool(repository.imports.importers(Flag.COLLECTS)),
    )


def _read(
    git: Git, state: StateDir, worktree: Worktree, listing: Listing
) -> tuple[Repository, tuple[str, ...], str | None]:
    """The repository, import names of the pytest plugins that it registers, and a line for people
    when its index could not be kept."""
    configuration = entrypoints.contents(
        git.top, (*listing.ending(*entrypoints.FILES), *listing.untracked)
    )
    commands = entrypoints.commands(configuration)
    built = sources.build(git.top, listing, state, Names(command.name for command in commands))
    repository = Repository(
        imports=built.imports,
        contents=worktree,
        top_name=git.top.name,
        untold=built.untold,
        entry_points=entrypoints.declared(configuration),
        commands=commands,
        links=tuple(_links(git.top, listing)),
        data=tuple(data_names.find(git.top, listing, state, built.imports.files)),
        search=RememberedSearch(state, built.origin),
    )
    return repository, entrypoints.plugins(configuration), built.note


def base_of(git: Git, settings: Settings, state: StateDir) -> Base | NoBase:
    """The base of the change. Raises: GitError; UnknownBase for a typed one that does not exist."""
    return resolve(
        git,
        typed=settings.typed_base,
        configured=settings.configured_base,
        configured_by=settings.configured_by,
        environ=environment.environ(),
        event=environment.github_event(),
        passed=lambda: _passed(settings, state),
    )


def _passed(settings: Settings, state: StateDir) -> Passed:
    from pytest_ciopt.usecases.jobs import passed  # only upon a push

    return passed(settings, state)


def _links(top: Path, listing: Listing) -> Iterator[tuple[str, str]]:
    """Symlinks inside the repository, with what they lead to there."""
    for link in listing.links():
        target = sources.link_target(top, link)
        if target is not None:
            yield link, target


class _Records:
    """What the history adds to a selection."""

    def __init__(
        self,
        state: StateDir,
        worktree: Worktree,
        listing: Listing,
        settings: Settings,
        *,
        passed: bool,
    ) -> None:
        self._state, self._settings = state, settings
        self._passed = passed
        """Whether all tests passed upon the base, with the variables that are watched."""
        self._worktree, self._listing = worktree, listing
        self._places = _by_all_names(settings.places)
        self._left_out = _by_all_names(settings.left_out)
        self._asked: dict[str, bool] = {}
        """By path whether this run collects from it."""
        self.told: list[str] = []

    @property
    def exist(self) -> bool:
        """Whether runs were recorded here. Asks for no more than a folder."""
        return (self._state.path / SEGMENTS).is_dir()

    def sharpened(self, ask: "Ask", texts: "Texts") -> Selection:
        """The selection with what records prove and add; as it was when they cannot be used."""
        from dataclasses import replace

        from pytest_ciopt.adapters.clock import now
        from pytest_ciopt.adapters.history import knowing, reader
        from pytest_ciopt.adapters.history.facts import surroundings
        from pytest_ciopt.adapters.present import Present
        from pytest_ciopt.core.proof.knowledge import another
        from pytest_ciopt.core.proof.seen import python_of
        from pytest_ciopt.usecases.prove import prove

        found = reader.inventory(self._state, now())
        known, told = knowing.known(self._state, found, python_of(surroundings()))
        self.told.extend((*found.told, *told))
        traced = any(one.seen is not None for one in known.tests.values())
        if self._settings.environment and (traced or not self._passed):
            why = another(known, environment.digests(self._settings.environment))
            if why is not None:
                selection = ask.selection
                return Selection(
                    everything=why, changed=selection.changed, modules=selection.modules
                )
        if not known.tests:
            return ask.selection
        try:
            present = Present(self._worktree, self._listing)
            ask = replace(ask, is_asked_for=self._is_asked_for)
            if self._passed:  # another job may pass where this one does not
                ask = replace(ask, job=self._settings.job.digest)
            return prove(ask, known, texts, present, by_name=self._settings.by_name)
        except Exception as error:
            if self._settings.strict:
                raise
            self.told.append(f"records are not used: {_logged(error, self._state)}")
            return ask.selection

    def _is_asked_for(self, path: str) -> bool:
        if path not in self._asked:
            file = os.path.join(self._worktree.top, path)
            is_asked = not self._places or _is_within(file, self._places)
            self._asked[path] = is_asked and not _is_within(file, self._left_out)
        return self._asked[path]


def _by_all_names(places: Iterable[str]) -> frozenset[str]:
    """Paths as they are given, and with symlinks resolved."""
    given = frozenset(places)
    return given.union(map(os.path.realpath, given))


def _is_within(file: str, places: Iterable[str]) -> bool:
    """Whether a file is one of some, or lies in one of some folders, or where globs say."""
    return any(
        one == place or one.startswith(place.rstrip(os.sep) + os.sep) or fnmatch(one, place)
        for place in places
        for one in (file, os.path.realpath(file))
    )


def _with_declared(change: Change, declared: Sequence[str]) -> Change:
    found = {file.path: file for file in change.files}
    found |= {path: FileChange(path, Status.DECLARED) for path in declared}
    return Change(tuple(found[path] for path in sorted(found)))


class _Dependencies:
    """Asks the interpreter that runs us what is installed."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self._installed: Installed | None = None

    def reached(
        self, changed: Sequence[str], own_modules: frozenset[str]
    ) -> tuple[str | None, Mapping[str, str]]:
        from pytest_ciopt.adapters import distributions  # slow to import, rarely needed

        self._installed = self._installed or distributions.installed()
        reach = distributions.reach(changed, own_modules, root=self.top, known=self._installed)
        return reach.everything, reach.modules

    def provide(self, name: str) -> bool:
        from pytest_ciopt.adapters import distributions

        return distributions.provide(name, self.top)
