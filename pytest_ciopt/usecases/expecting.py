"""What is known of tests under the names that they have now, in the tree that is checked out."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.git import Git, GitError
from pytest_ciopt.adapters.history.index import Index, ask
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.carrying import carried
from pytest_ciopt.core.history.estimates import Estimate, estimated
from pytest_ciopt.core.history.forecast import Forecast, Forecaster, module_of
from pytest_ciopt.core.history.results import Kind, Result, RunRow

_T = TypeVar("_T")
_ASKED = 20
"""Commits that git is asked about at most, the newest first: each question costs some 10 ms."""


def expected(state: StateDir) -> Mapping[str, Mapping[str, Estimate]]:
    """What tests take, by environment and by id from the top of the repository.

    Raises: OSError, sqlite3.Error.
    """
    known, _ = ask(state, now(), lambda index: index.estimates(Kind.TEST))
    return known


@dataclass(frozen=True, slots=True)
class Moved:
    """Where the test files went that the history knows and the tree does not have."""

    renamed: Mapping[str, str] = field(default_factory=dict)
    """Former paths by present ones."""
    gone: frozenset[str] = frozenset()
    """Files of which nothing is known but that they are not there."""

    def former(self, test: str) -> str | None:
        """What a test was called before its file was renamed."""
        path = module_of(test)
        return self.renamed[path] + test[len(path) :] if path in self.renamed else None

    def is_gone(self, test: str) -> bool:
        """Whether its file is not there, and not under another name either."""
        return module_of(test) in self.gone


def moved(index: Index, top: Path, git: Git | None) -> Moved:
    """Looks for the files of all tests, and asks git about those that are missing.

    A file counts as renamed when git says so of the time since the last run that knew its tests.
    """
    paths = {module_of(test) for test in index.subjects(Kind.TEST)}
    missing = {path for path in paths if not os.path.exists(top / path)}
    renamed: dict[str, str] = {}
    if git is not None and missing:
        last = {path: commits[0] for path in missing if (commits := index.commits_of(path))}
        newest = [run.start.commit for run in index.runs() if run.start.commit in last.values()]
        for commit in list(dict.fromkeys(newest))[:_ASKED]:
            for present, former in _renamed_since(git, str(commit)).items():
                if last.get(former) == commit:
                    renamed[present] = former
    return Moved(renamed, frozenset(missing - set(renamed.values())))


def _renamed_since(git: Git, commit: str) -> Mapping[str, str]:
    try:
        return git.renamed_since(commit)
    except GitError:  # a shallow clone lacks the commit: the durations start anew
        return {}


@dataclass(frozen=True, slots=True)
class Known:
    """What the history knows of a test."""

    results: Sequence[tuple[RunRow, Result]]
    """Oldest first, those under its former name among them."""
    expected: Mapping[str, Estimate]
    """By environment."""
    former: str | None
    """Its former name, if there are results under it."""


def known(index: Index, where: Moved, test: str) -> Known:
    """All results of a test, also those before its file was renamed."""
    former = where.former(test)
    before = [] if former is None else index.results(Kind.TEST, former)
    results = [*before, *index.results(Kind.TEST, test)]
    results.sort(key=lambda pair: pair[0].start.run)
    places: dict[str, list[Result]] = {}
    for run, result in results:
        places.setdefault(run.start.environment.key, []).append(result)
    expected = {name: estimated(several) for name, several in places.items()}
    return Known(results, expected, former if before else None)


def as_now_named(known: Mapping[str, _T], where: Moved) -> dict[str, _T]:
    """Facts by id, under present ids, without those of files that are gone."""
    present = {former: path for path, former in where.renamed.items()}
    found: dict[str, _T] = {}
    for test, fact in known.items():
        path = module_of(test)
        if path in present:
            found.setdefault(present[path] + test[len(path) :], fact)
        elif not where.is_gone(test):
            found[test] = fact
    return found


def by_recency(index: Index) -> list[str]:
    """Environments, that of the newest run first; those of imported runs behind all others."""
    runs = sorted(index.runs(), key=lambda run: run.start.source is not None)
    return list(dict.fromkeys(run.start.environment.key for run in runs))


def forecasts(
    index: Index, where: Moved, wanted: Iterable[str], environment: str
) -> dict[str, Forecast]:
    """What each of the tests that are collected now will probably take."""
    tests = list(wanted)
    known = index.estimates(Kind.TEST)
    earlier = carried(tests, {test for of in known.values() for test in of}, where.renamed)
    ask = Forecaster(known, environment, earlier)
    return {test: ask.forecast(test) for test in tests}
