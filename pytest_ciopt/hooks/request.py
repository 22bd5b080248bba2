"""What a pytest run asks of a selection, read from pytest's configuration."""

import argparse
import os
from collections.abc import Iterator
from glob import iglob
from pathlib import Path
from shlex import split
from types import ModuleType
from typing import NamedTuple

import pytest

from pytest_ciopt import settings
from pytest_ciopt.adapters.environment import environ, variable
from pytest_ciopt.adapters.git import Git, GitError
from pytest_ciopt.adapters.paths import root_of
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.ci import in_ci
from pytest_ciopt.core.django import VARIABLE, settings_named
from pytest_ciopt.errors import ConfigurationError
from pytest_ciopt.hooks.options import AUTO, QUALITY, WATCHED
from pytest_ciopt.settings import Command, Discovery, Job, Settings


def settings_of(config: pytest.Config, known: argparse.Namespace) -> Settings:
    """Flag, environment, ini, default, in this order.

    Raises: pytest.UsageError for values that cannot be used.
    """
    json, quality = (file_of(config, known, name) for name in ("ciopt_json", QUALITY))
    written = [file for file in (json, quality, getattr(known, "xmlpath", None)) if file]
    try:
        return Settings(
            typed_base=None if known.ciopt_changed in (None, AUTO) else known.ciopt_changed,
            configured_base=variable("CIOPT_BASE") or config.getini("ciopt_base") or None,
            configured_by="CIOPT_BASE" if variable("CIOPT_BASE") else "ciopt_base",
            rules=settings.rules(
                config.getini("ciopt_run_all"),
                config.getini("ciopt_ignore"),
                config.getini("ciopt_dependencies"),
            ),
            state_dir=state_dir_of(config),
            strict=strict(config, known),
            by_name=settings.by_name(variable("CIOPT_SAFETY") or config.getini("ciopt_safety")),
            environment=settings.watched(config.getini(WATCHED)),
            explain=switch(config, known, "ciopt_explain"),
            json=resolved(config, json) if json else None,
            job=job_of(config),
            outputs=tuple(resolved(config, file) for file in written),
            places=tuple(_places(config, known)),
            left_out=tuple(_left_out(config, known)),
        )
    except ConfigurationError as error:
        raise pytest.UsageError(str(error)) from error


def _places(config: pytest.Config, known: argparse.Namespace) -> list[str]:
    """What is collected from, as pytest decides it; nothing where that is not known."""
    start = config.invocation_params.dir
    named = [argument.partition("::")[0] for argument in map(str, known.file_or_dir)]
    if not named and start == config.rootpath:
        for one in config.getini("testpaths"):
            named += iglob(one, root_dir=start, recursive=True)
    places = [os.path.normpath(resolved(config, one)) for one in named or [str(start)]]
    is_clear = not known.pyargs and all(map(os.path.exists, places))
    return places if is_clear else []


def _left_out(config: pytest.Config, known: argparse.Namespace) -> Iterator[str]:
    for one in (*(known.ignore or ()), *(known.ignore_glob or ())):
        yield os.path.normpath(resolved(config, str(one)))


_JOB = pytest.StashKey[Job]()


def job_of(config: pytest.Config) -> Job:
    """The job of a CI service that this run carries out, as it is when that is asked for the first
    time: what conftest files do to the environment is done by each run of it."""
    if _JOB not in config.stash:
        config.stash[_JOB] = _job(config) if in_ci(environ()) else Job()
    return config.stash[_JOB]


def job_early(config: pytest.Config) -> None:
    """Finds the job before conftest files alter the environment. Not in workers of xdist, which
    record nothing by themselves."""
    if variable("PYTEST_XDIST_WORKER") is None:
        job_of(config)


def _job(config: pytest.Config) -> Job:
    from pytest_ciopt.usecases.jobs import job_here  # not on the machines of people

    try:
        names = settings.watched(config.getini(WATCHED))
        git, top, *_ = where_of(config)
        return job_here(_command(config), names, top, git)
    except Exception:
        return Job()  # it is not known again: everything runs


def _command(config: pytest.Config) -> Command:
    """What pytest was asked for, before it makes anything of it."""
    start, root, ini = config.invocation_params.dir, config.rootpath, config.inipath
    variables = split(variable("PYTEST_ADDOPTS") or "")
    return Command(
        typed=(*variables, *map(str, config.invocation_params.args)),
        configured=tuple(config.getini("addopts")),
        places=tuple(str(place) for place in (start, root, ini) if place is not None),
        discovery=tuple(str(config.getini(name)) for name in _DISCOVERY),
        plugins=tuple(map(_plugin_name, config.invocation_params.plugins or ())),
    )


def _plugin_name(plugin: object) -> str:
    """Of what a program hands to `pytest.main`: an import name, a module or any object."""
    if isinstance(plugin, str):
        return plugin
    named = plugin if isinstance(plugin, ModuleType | type) else type(plugin)
    return f"{getattr(named, '__module__', '')}.{getattr(named, '__qualname__', named.__name__)}"


def file_of(config: pytest.Config, known: argparse.Namespace, name: str) -> str | None:
    """A file that is to be written, by flag, environment or ini, as it is said there."""
    said: str | None = getattr(known, name) or variable(name.upper()) or config.getini(name)
    return said or None


def state_dir_of(config: pytest.Config) -> str | None:
    """Where `.ciopt` lies instead of the top of the repository; relative to it."""
    return variable("CIOPT_DIR") or config.getini("ciopt_dir") or None


def strict(config: pytest.Config, known: argparse.Namespace) -> bool:
    """Whether an error of ours is one of the run."""
    return switch(config, known, "ciopt_strict")


_DISCOVERY = ("testpaths", "python_files", "python_classes", "python_functions", "norecursedirs")


class Where(NamedTuple):
    """The repository of a run, and its history; without one, pytest's rootdir."""

    git: Git | None
    top: Path
    root: str
    """What ids of tests begin with at the top."""
    state: StateDir


_WHERE = pytest.StashKey[Where]()


def where_of(config: pytest.Config) -> Where:
    """Asks git, once a run."""
    if _WHERE not in config.stash:
        config.stash[_WHERE] = _found(config)
    return config.stash[_WHERE]


def _found(config: pytest.Config) -> Where:
    try:
        git: Git | None = Git(config.rootpath)
    except GitError:
        git = None
    top = config.rootpath if git is None else git.top
    state = StateDir(top / (state_dir_of(config) or ".ciopt"))
    return Where(git, top, root_of(config.rootpath, top), state)


def resolved(config: pytest.Config, file: str) -> str:
    """From where pytest was started."""
    return os.path.join(config.invocation_params.dir, os.path.expanduser(file))


def switch(config: pytest.Config, known: argparse.Namespace, name: str) -> bool:
    """Whether something is asked for, by flag, environment or ini."""
    if getattr(known, name):
        return True
    from_environment = variable(name.upper())
    if from_environment is not None:
        return settings.boolean(from_environment, name.upper())
    return settings.boolean(config.getini(name), name)


def test_files_of(config: pytest.Config, known: argparse.Namespace) -> Discovery:
    """How this run finds tests."""
    return Discovery(
        files=tuple(config.getini("python_files")),
        functions=tuple(config.getini("python_functions")),
        doctest_modules=bool(getattr(known, "doctestmodules", False)),
        doctest_globs=tuple(getattr(known, "doctestglob", None) or Discovery().doctest_globs),
        norecurse=tuple(config.getini("norecursedirs")),
        roots=tuple(map(str, config.getini("pythonpath"))),
        plugins=tuple(sorted(set(_plugin_modules(config.pluginmanager)))),
        settings=settings_named(variable(VARIABLE), *_configuring(config)),
    )


def _configuring(config: pytest.Config) -> Iterator[str]:
    """Arguments and the file of pytest, as they stand."""
    yield " ".join((variable("PYTEST_ADDOPTS") or "", *map(str, config.invocation_params.args)))
    if config.inipath is not None:
        yield config.inipath.read_text(encoding="utf-8", errors="replace")


def _plugin_modules(manager: pytest.PytestPluginManager) -> Iterator[str]:
    for plugin in manager.get_plugins():
        name = plugin.__name__ if isinstance(plugin, ModuleType) else type(plugin).__module__
        if name and not name.startswith(("_pytest.", "conftest")):
            yield name


def collects_other_files(manager: pytest.PytestPluginManager) -> bool:
    """Whether a plugin beside pytest's own may collect files that are no test modules."""
    return any(
        not getattr(impl.plugin, "__name__", type(impl.plugin).__module__).startswith("_pytest.")
        for impl in manager.hook.pytest_collect_file.get_hookimpls()
    )
