"""Decides before conftests are loaded, and whether they need to be loaded at all."""

import argparse
from collections.abc import Iterator
from glob import glob
from pathlib import Path

import pytest

from pytest_ciopt.adapters.environment import variable
from pytest_ciopt.core.testfiles import is_test_module
from pytest_ciopt.core.transport import loaded
from pytest_ciopt.hooks.collection import Collection
from pytest_ciopt.hooks.options import SELECTION
from pytest_ciopt.hooks.request import collects_other_files
from pytest_ciopt.hooks.run import Run, failed_run, new_run, worker_run
from pytest_ciopt.hooks.telling import Telling
from pytest_ciopt.hooks.workers import KEY, Controller, Worker

_OUR_HOOKS = (
    "pytest_ciopt_changed_files",
    "pytest_ciopt_veto",
    "pytest_ciopt_dependencies",
    "pytest_ciopt_always",
)
_INFORMATIVE = ("help", "version", "markers", "showfixtures", "show_fixtures_per_test")
"""Options that show what conftests define, instead of running tests."""


def start(config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    """Decides, and registers the plugins that carry the decision out.

    A worker of xdist gets its decision later, from the controller.
    """
    if variable("PYTEST_XDIST_WORKER") is not None:
        return
    known = config.known_args_namespace
    run = _new_run(config, known)
    try:
        run.ends_early = run.decided.ends_early and _may_end_early(run, config, parser, args)
    except Exception as error:  # of ours: it must not break a run that would have worked
        run = failed_run(config, known, error)
    known.noconftest = known.noconftest or run.ends_early
    if run.ends_early:
        run.outcome.dropped_modules.update(run.selection.proved_modules)
        run.outcome.dropped_files.update(_with_tests(run))
    _register(config, run)


def _with_tests(run: Run) -> Iterator[str]:
    """Files that tests might have been collected from."""
    for path in run.decided.files:
        if run.tests.doctest_modules or is_test_module(path, run.tests) or path[-3:] != ".py":
            yield path


def _new_run(config: pytest.Config, known: argparse.Namespace) -> Run:
    """An error of ours must not break a run that would have worked without us."""
    try:
        return new_run(config, known)
    except pytest.UsageError:
        raise
    except Exception as error:
        return failed_run(config, known, error)


def ensure(config: pytest.Config) -> None:
    """In a worker, takes over the frozen decision; a run inside a worker makes its own."""
    if config.pluginmanager.hasplugin(SELECTION):
        return
    shipped = getattr(config, "workerinput", {}).get(KEY)
    if shipped is None:
        _register(config, _new_run(config, config.option))
        return
    run = worker_run(config, loaded(shipped["selection"]), shipped["top"])
    config.pluginmanager.register(Collection(run), SELECTION)
    config.pluginmanager.register(Worker(run), f"{SELECTION}-worker")


def _register(config: pytest.Config, run: Run) -> None:
    manager = config.pluginmanager
    manager.register(Collection(run), SELECTION)
    manager.register(Telling(run), f"{SELECTION}-telling")
    if manager.hasplugin("xdist"):
        manager.register(Controller(run), f"{SELECTION}-controller")
        _choose_workers(config, run)


def _choose_workers(config: pytest.Config, run: Run) -> None:
    """Where the number is left to us."""
    if getattr(config.known_args_namespace, "numprocesses", None) in ("auto", "logical"):
        from pytest_ciopt.hooks.autoworkers import AutoWorkers

        config.pluginmanager.register(AutoWorkers(run), f"{SELECTION}-workers")


def _may_end_early(run: Run, config: pytest.Config, parser: pytest.Parser, args: list[str]) -> bool:
    """Whether nothing that a conftest or plugin may say can alter the empty selection."""
    known = config.known_args_namespace
    if known.pyargs or any(getattr(known, option, False) for option in _INFORMATIVE):
        return False
    _, unknown = parser.parse_known_and_unknown_args(args)
    if unknown or config._get_unknown_ini_keys():  # a conftest may define them
        return False
    if not all(run.is_dropped(path) for path in _asked_paths(config)):
        return False
    hook = config.pluginmanager.hook
    if any(getattr(hook, name).get_hookimpls() for name in _OUR_HOOKS):
        return False
    return not collects_other_files(config.pluginmanager)


def _asked_paths(config: pytest.Config) -> Iterator[Path]:
    """What pytest is told to collect: by arguments, else by `testpaths`, else all around it."""
    folder = config.invocation_params.dir
    arguments: list[str] = config.known_args_namespace.file_or_dir
    if arguments:
        yield from (folder / argument.partition("::")[0] for argument in arguments)
    elif folder == config.rootpath:
        for entry in config.getini("testpaths"):
            yield from map(Path, glob(str(config.rootpath / entry), recursive=True))
