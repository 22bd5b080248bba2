"""Where benchmarks of this run are measured again: its tree, its base, its way to run pytest."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from pytest_ciopt.adapters.duet import sides
from pytest_ciopt.adapters.duet.child import Place
from pytest_ciopt.adapters.environment import environ
from pytest_ciopt.adapters.git import GitError
from pytest_ciopt.hooks.request import where_of
from pytest_ciopt.hooks.run import base_here
from pytest_ciopt.usecases.benching import Ground
from pytest_ciopt.usecases.duet import Measure

_MEASURING = ("min_time", "max_time", "min_rounds", "calibration_precision", "warmup_iterations")
"""Options of pytest-benchmark that decide how it measures."""


def ground_of(config: pytest.Config) -> Ground:
    """The repository, its history, and the base."""
    where = where_of(config)
    return Ground(where.git, where.state, where.root, base_here(config))


def place_of(config: pytest.Config) -> Place:
    """This tree, and how pytest runs in it."""
    where, ini = where_of(config), config.inipath
    inside = ini is not None and ini.is_relative_to(where.top)
    return Place(
        where.top,
        where.root,
        ini.relative_to(where.top).as_posix() if ini is not None and inside else None,
        arguments=tuple(_words(config)),
        path=tuple(filter(None, environ().get("PYTHONPATH", "").split(os.pathsep))),
    )


def _words(config: pytest.Config) -> Iterator[str]:
    """What of this run's options decides how benchmarks are found and measured."""
    option = config.option
    for name in _MEASURING:
        value = getattr(option, f"benchmark_{name}", None)
        if value is not None:
            yield f"--benchmark-{name.replace('_', '-')}={value}"
    if option.benchmark_disable_gc:
        yield "--benchmark-disable-gc"
    yield f"--import-mode={option.importmode}"
    for plugin in option.plugins:
        if "ciopt" not in plugin:
            yield from ("-p", plugin)
    for override in option.override_ini or ():
        yield f"--override-ini={override}"


def opened(config: pytest.Config, commit: str) -> AbstractContextManager[Measure]:
    """This tree and that of a commit. Raises: GitError, OSError."""
    git = where_of(config).git
    if git is None:  # asked before
        raise GitError("this is no git repository")
    return sides.opened(git, commit, place_of(config))
