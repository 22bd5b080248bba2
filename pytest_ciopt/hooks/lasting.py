"""Judges how long tests took, by the history and this run together."""

from collections.abc import Mapping
from itertools import chain

import pytest

from pytest_ciopt.adapters.history.facts import surroundings
from pytest_ciopt.adapters.history.index import UNREADABLE
from pytest_ciopt.core.gates.durations import budgets, judged
from pytest_ciopt.core.gates.verdict import Ruling, Verdict
from pytest_ciopt.core.history.estimates import Estimate
from pytest_ciopt.core.nodeids import repository_id, without_group
from pytest_ciopt.errors import CioptError
from pytest_ciopt.hooks.costs import COSTS, sent_with
from pytest_ciopt.hooks.request import where_of
from pytest_ciopt.hooks.wholeness import Wholeness
from pytest_ciopt.usecases.expecting import expected


def expected_here(config: pytest.Config) -> Mapping[str, Estimate]:
    """What the history of this environment expects, by id from the top of the repository.

    Raises: OSError, sqlite3.Error.
    """
    return expected(where_of(config).state).get(surroundings().key, {})


class Took:
    """Seconds of tests, without what fixtures of wider scope took."""

    def __init__(self, config: pytest.Config) -> None:
        self._root = where_of(config).root
        self._seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Adds up the phases of each test."""
        if not hasattr(report, "context"):  # that is a subtest's
            shared = sent_with(report).shared if hasattr(report, COSTS) else 0.0
            name = without_group(report.nodeid)
            own = max(report.duration - shared, 0.0)
            self._seconds[name] = self._seconds.get(name, 0.0) + own

    def seconds(self) -> dict[str, float]:
        """By id from the top of the repository."""
        return {repository_id(self._root, test): took for test, took in self._seconds.items()}


class Lasting:
    """The judge of durations."""

    def __init__(self, config: pytest.Config) -> None:
        """Raises: pytest.UsageError for what means nothing."""
        self._config = config
        try:
            self._budgets = budgets(config.getini("ciopt_duration_budget"))
        except CioptError as error:
            raise pytest.UsageError(str(error)) from error
        self.gates = [budget.gate for budget in self._budgets]
        self._took = Took(config)
        if self._budgets:
            config.pluginmanager.register(self._took, "ciopt-took")

    def judge(self, session: pytest.Session, wholeness: Wholeness) -> list[Verdict]:
        """Verdicts."""
        if not self._budgets:
            return []
        try:
            known = expected_here(self._config)
        except UNREADABLE as error:
            why = f"the history cannot be read: {error}"
            return [Verdict(gate, Ruling.UNKNOWN, why) for gate in self.gates]
        partial = next(
            chain(wholeness.cuts(session), wholeness.shard(), wholeness.selected()), None
        )
        return judged(self._budgets, known, self._took.seconds(), partial)
