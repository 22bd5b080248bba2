"""pytest's door: adds our options, hooks and marker, and loads a feature only when it is asked for.

No logic lives here. Without a `--ciopt-…` flag nothing but this module, the options and the hook
specifications is imported.
"""

import argparse
from collections.abc import Generator

import pytest

from pytest_ciopt.hooks import hookspecs, options


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the flags and ini options."""
    options.add(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Makes our hooks known, so that conftest files may implement them."""
    pluginmanager.add_hookspecs(hookspecs)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> None:
    """Decides before any conftest is imported, so that nothing need be imported at all."""
    known = options.with_separate_values(early_config, parser, args)
    if known.ciopt_changed is not None and options.plan_is_asked(known):
        from pytest_ciopt.hooks import precedence

        precedence.plan_first(early_config, parser, args)
    recorded = options.recording(early_config, known)
    if recorded != options.OFF:
        from pytest_ciopt.hooks import request

        request.job_early(early_config)
    if options.selection_is_asked(known):
        from pytest_ciopt.hooks import early

        early.start(early_config, parser, args)
    if recorded in (options.DEPS, options.IF_CHEAP):
        from pytest_ciopt.hooks import settling

        settling.start(early_config, known)
    if options.contexts_are_asked(early_config, known):
        from pytest_ciopt.hooks import measuring

        measuring.see_every_line(early_config, known)
    if options.coverage_is_asked(known):
        from pytest_ciopt.hooks import measuring

        measuring.start(early_config)


def pytest_configure(config: pytest.Config) -> None:
    """Registers the markers; under xdist a worker takes over the controller's decision."""
    for marker in options.MARKERS:
        config.addinivalue_line("markers", marker)
    if options.selection_is_asked(_option(config)):
        from pytest_ciopt.hooks import early

        early.ensure(config)
    workerinput = getattr(config, "workerinput", {})
    if options.SHARD in workerinput or options.sharding_is_asked(_option(config)):
        from pytest_ciopt.hooks import sharding

        sharding.start(config)
    distributes = bool(workerinput) or config.pluginmanager.hasplugin("xdist")
    if distributes and options.scheduling_is_asked(config):
        from pytest_ciopt.hooks import scheduling

        scheduling.start(config)
    if options.gates_are_asked(config) or config.hook.pytest_ciopt_gates.get_hookimpls():
        from pytest_ciopt.hooks import gates

        gates.start(config)
    if options.timeouts_are_asked(config):
        from pytest_ciopt.hooks import timeouts

        timeouts.start(config)
    if getattr(_option(config), "ciopt_slow", None) is not None:
        from pytest_ciopt.hooks import slow

        slow.start(config)
    if options.recording(config) != options.OFF:
        from pytest_ciopt.hooks import remembering

        remembering.start(config)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Who waits for the exit code gets the one that the process will have."""
    result = None
    try:
        result = yield
        return result
    finally:
        config.stash.get(options.AFTERWARDS, lambda _: None)(result)


def _option(config: pytest.Config) -> argparse.Namespace:
    return config.option
