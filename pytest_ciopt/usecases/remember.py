"""Begins the segment of a run: where it lies, what the run is about, what was left behind."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.git import Git, GitError, NoRepository
from pytest_ciopt.adapters.history import facts
from pytest_ciopt.adapters.history.reader import inventory
from pytest_ciopt.adapters.history.writer import Writer
from pytest_ciopt.adapters.paths import root_of
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.options import names_in
from pytest_ciopt.core.history.records import Environment, RunStart

_UNKNOWN = "this run is recorded without its commit: {}"


class About(NamedTuple):
    """What pytest knows of a run before its first test."""

    rootpath: Path
    arguments: tuple[str, ...]
    workers: int = 0
    state_dir: str | None = None
    shard: str | None = None
    plan: str | None = None
    base: str | None = None
    everything: str | None = None
    variables: Mapping[str, str] | None = None
    """See `RunStart`."""
    job: str | None = None
    """See `RunStart`."""
    omitted: frozenset[str] = frozenset()
    """Parts that are not recorded, see `core.history.parts`."""
    given: tuple[Path, ...] = ()
    """Files and folders that other jobs made for this one: they are no change of the project."""


class Begun(NamedTuple):
    """A segment that is open, and lines on segments that other runs had left behind."""

    writer: Writer
    told: tuple[str, ...]


def begin(about: About) -> Begun:
    """Opens a segment. Outside a repository it lies in the rootdir."""
    git, told = _git(about.rootpath)
    top = about.rootpath if git is None else git.top
    state = StateDir(top / (about.state_dir or ".ciopt"))
    started = now()
    told += inventory(state, started).told
    head = facts.Head()
    try:
        head = facts.head(git, state, _inside(about.given, top))
    except GitError as error:
        told.append(_UNKNOWN.format(error))
    start = RunStart(
        run=facts.new_run_id(started),
        started=round(started, 3),
        environment=_environment(about, top),
        repository=head.repository,
        commit=head.commit,
        tree=head.tree,
        branch=head.branch,
        dirty=head.dirty,
        root=root_of(about.rootpath, top),
        options=names_in(about.arguments),
        shard=about.shard,
        plan=about.plan,
        workers=about.workers,
        base=about.base,
        everything=about.everything,
        variables=about.variables,
        job=about.job,
    )
    return Begun(Writer(state, start, about.omitted), tuple(told))


def _environment(about: About, top: Path) -> Environment:
    """Shards that are proved together must not have had different things installed."""
    found = facts.surroundings()
    return found if about.shard is None else found._replace(distributions=facts.distributions(top))


def _inside(paths: Iterable[Path], top: Path) -> Iterator[str]:
    """From the top, of those below it."""
    for path in paths:
        with suppress(ValueError, OSError):
            place = path.resolve().relative_to(top.resolve()).as_posix()
            if place != ".":
                yield place


def _git(folder: Path) -> tuple[Git | None, list[str]]:
    try:
        return Git(folder), []
    except NoRepository:
        return None, []
    except GitError as error:
        return None, [_UNKNOWN.format(error)]
