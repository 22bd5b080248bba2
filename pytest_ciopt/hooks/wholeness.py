"""Whether a run has all the tests that a whole one has, and why not."""

from collections.abc import Iterator
from typing import Any

import pytest

from pytest_ciopt.core.gates.coverage import LEFT_OUT
from pytest_ciopt.core.history.options import names_in
from pytest_ciopt.hooks.options import COVERED, SELECTION, SHARD

_NARROW = frozenset(("-k", "--deselect", "--last-failed", "--lf", "--stepwise", "--sw"))
_CHOSEN = frozenset(("-m", "--ignore"))
"""Meant, where the gate is asked for beside them."""
_WHOLE = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)


class Wholeness:
    """Asked when a run ends."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._uncollected = 0
        asked = (getattr(config.option, name, None) for name in (*COVERED, "ciopt_cov_reconstruct"))
        self.explicit = any(value is not None for value in asked)
        """Whether a gate, or a whole run, is asked for on the command line."""

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that cannot be collected leaves its tests out."""
        self._uncollected += report.failed

    def selected(self) -> Iterator[str]:
        """Whether our own selection left anything out, or that of a plan."""
        plugin: Any = self._config.pluginmanager.getplugin(SELECTION)
        sharding: Any = self._config.pluginmanager.getplugin(SHARD)
        by_plan = sharding is not None and sharding.plan.base is not None
        own = plugin is not None and (plugin.run.outcome.partial or plugin.run.ends_early)
        if own or by_plan:
            yield LEFT_OUT

    def shard(self) -> Iterator[str]:
        """Whether other shards run something as well, or a plan knows what this one leaves out."""
        sharding: Any = self._config.pluginmanager.getplugin(SHARD)
        if sharding is not None and (sharding.position.shards > 1 or sharding.plan.base):
            yield f"this is shard {sharding.position}"

    def cuts(self, session: pytest.Session) -> Iterator[str]:
        """Whatever else did."""
        if session.exitstatus not in _WHOLE or session.shouldfail or session.shouldstop:
            yield "the run was cut short"
        if self._uncollected:
            yield "not all test modules could be collected"
        yield from self._asked_for_less()

    def _asked_for_less(self) -> Iterator[str]:
        given = set(names_in(map(str, self._config.invocation_params.args)))
        refused = _NARROW if self.explicit else _NARROW | _CHOSEN
        if narrowed := sorted(given & refused):
            yield f"the run was narrowed with {narrowed[0]}"
        if self._config.args_source is pytest.Config.ArgsSource.ARGS:
            folder = self._config.invocation_params.dir
            for argument in self._config.args:
                is_folder = (folder / argument.partition("::")[0]).is_dir()
                if not is_folder or "::" in argument or not self.explicit:
                    yield f"the run was narrowed to {argument}"
