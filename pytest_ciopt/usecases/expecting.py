"""What is known of tests under the names that they have now, in the tree that is checked out."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TypeVar

from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.git import Git, GitError
from pytest_ciopt.adapters.history.index import Index, ask
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.carrying import carried
from pytest_ciopt.core.history.estimates import Estimate, estimated
from pytest_ciopt.core.history.forecast import Forecast, Forecaster
from pytest_ciopt.core.history.results import Kind, Result, RunRow
from pytest_ciopt.core.nodeids import module_of

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

    renamed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Former paths by present ones, the latest first."""
    gone: frozenset[str] = frozenset()
    """Files of which nothing is known but that they are not there."""

    def former(self, test: str) -> list[str]:
        """What a test was called before its file was renamed, the latest name first."""
        path = module_of(test)
        return [one + test[len(path) :] for one in self.renamed.get(path, ())]

    def is_gone(self, test: str) -> bool:
        """Whether its file is not there, and not under another name either."""
        return module_of(test) in self.gone


def moved(index: Index, top: Path, git: Git | None) -> Moved:
    """Looks for the files of all tests, and asks git about those that are missing.

    A file counts as renamed when git says so of the time since the last run that knew its tests.
    One that was renamed several times has as many former names.
    """
    paths = {module_of(test) for test in index.subjects(Kind.TEST)}
    missing = {path for path in paths if not os.path.exists(top / path)}
    renamed: dict[str, list[str]] = {}
    if git is not None and missing:
        last = {path: commits[0] for path in missing if (commits := index.commits_of(path))}
        newest = [run.start.commit for run in index.runs() if run.start.commit in last.values()]
        for commit in list(dict.fromkeys(newest))[:_ASKED]:
            for present, former in _renamed_since(git, str(commit)).items():
                if last.get(former) == commit:
                    renamed.setdefault(present, []).append(former)
    return Moved(renamed, frozenset(missing.difference(*renamed.values())))


def _renamed_since(git: Git, commit: str) -> Mapping[str, str]:
    try:
        return git.renamed_since(commit)
    except GitError:  # a shallow clone lacks the commit: the durations start anew
        return {}


@dataclass(frozen=True, slots=True)
class Known:
    """What the history knows of a test."""

    results: Sequence[tuple[RunRow, Result]]
    """Oldest first, those under its former names among them."""
    expected: Mapping[str, Estimate]
    """By environment."""
    former: Sequence[str]
    """Its former names under which there are results, the latest first."""


def known(index: Index, where: Moved, test: str) -> Known:
    """All results of a test, also those before its file was renamed."""
    before = {name: index.results(Kind.TEST, name) for name in where.former(test)}
    results = [*chain.from_iterable(before.values()), *index.results(Kind.TEST, test)]
    results.sort(key=lambda pair: pair[0].start.run)
    places: dict[str, list[Result]] = {}
    for run, result in results:
        places.setdefault(run.start.environment.key, []).append(result)
    expected = {name: estimated(several) for name, several in places.items()}
    return Known(results, expected, [name for name, several in before.items() if several])


def as_now_named(known: Mapping[str, _T], where: Moved) -> dict[str, _T]:
    """Facts by id, under present ids, without those of files that are gone.

    Of several names of a test the latest counts.
    """
    names = {
        former: (path, age)
        for path, several in where.renamed.items()
        for age, former in enumerate(several, 1)
    }
    found: dict[str, tuple[int, _T]] = {}
    for test, fact in known.items():
        if where.is_gone(test):
            continue
        path = module_of(test)
        present, age = names.get(path, (path, 0))
        name = present + test[len(path) :]
        if name not in found or age < found[name][0]:
            found[name] = age, fact
    return {name: fact for name, (_, fact) in found.items()}


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
