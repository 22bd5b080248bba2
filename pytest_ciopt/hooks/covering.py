"""Judges what a run covered."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ciopt.adapters.coverage_data import running
from pytest_ciopt.adapters.coverage_report import NoReport, Reporting, measured
from pytest_ciopt.adapters.git import GitError
from pytest_ciopt.core.gates import coverage
from pytest_ciopt.core.gates.coverage import Measured
from pytest_ciopt.core.gates.verdict import Ruling, Verdict
from pytest_ciopt.core.history.totals import Totals
from pytest_ciopt.errors import CioptError
from pytest_ciopt.hooks.measuring import MEASURING
from pytest_ciopt.hooks.options import COVERED
from pytest_ciopt.hooks.request import where_of
from pytest_ciopt.hooks.wholeness import Wholeness
from pytest_ciopt.usecases.guarding import Place, Rules, judged, rules, said

if TYPE_CHECKING:
    from pytest_ciopt.hooks.contexts import Contexts
    from pytest_ciopt.hooks.rebuilding import Rebuilding


def asked(config: pytest.Config) -> Rules:
    """What is asked of coverage. Raises: pytest.UsageError for what means nothing."""
    lines = config.getini("ciopt_cov_fail_under")
    configured = ("", *map(config.getini, COVERED[1:]))
    values = (
        said(getattr(config.option, name), f"--{name.replace('_', '-')}", name, text)
        for name, text in zip(COVERED, configured, strict=True)
    )
    try:
        return rules(lines, *values)
    except CioptError as error:
        raise pytest.UsageError(str(error)) from error


class Covering:
    """The judge of coverage."""

    def __init__(self, config: pytest.Config, asked: Rules, contexts: "Contexts | None") -> None:
        """`contexts` keeps what each test covers, if that is asked for."""
        self._config = config
        self._rules = asked
        self._rebuilding: Rebuilding | None = None
        if contexts is not None:
            from pytest_ciopt.hooks import rebuilding

            self._rebuilding = rebuilding.Rebuilding(config, contexts)
        self.gates = asked.gates
        self.limit = asked.thresholds.total
        """Of the total, None where nothing is asked of it."""
        self.total: Totals | None = None
        """Of a whole run."""
        self.notes: list[str] = []
        """What is to be told beside verdicts."""

    def judge(self, session: pytest.Session, wholeness: Wholeness) -> list[Verdict]:
        """Verdicts; none where gates are configured and nobody measures."""
        if not self.gates and not self._rebuilding and MEASURING not in self._config.stash:
            return []
        try:
            with self._live() as live:
                return self._judged(live, session, wholeness)
        except NoReport as error:
            if self._rebuilding is not None and wholeness.explicit:
                self.notes.append(f"coverage is not reconstructed: {error.what}")
            if wholeness.explicit or self._config.stash.get(MEASURING, None) is not None:
                return [Verdict(gate, Ruling.UNKNOWN, error.what) for gate in self.gates]
            return []

    def _judged(
        self, live: Reporting, session: pytest.Session, wholeness: Wholeness
    ) -> list[Verdict]:
        cut = next(wholeness.cuts(session), None)
        shard, left_out = next(wholeness.shard(), None), next(wholeness.selected(), None)
        partial_patch = cut or shard
        # All tests that the change can affect are enough for what it changed.
        partial = partial_patch or left_out
        found: Measured | None = None
        if self._rebuilding is not None and self._rebuilding.problem is not None:
            self.notes.append(f"what tests cover is not kept: {self._rebuilding.problem}")
        if self._rebuilding is not None and cut is None and left_out is None:
            self._rebuilding.keep(live, whole=True)
        elif self._rebuilding is not None and partial_patch is None:
            found, partial = self._put_together(self._rebuilding, live)
        elif self._rebuilding is not None and left_out is not None:
            if cut is None:  # whoever has all shards puts it together
                self._rebuilding.keep(live, whole=False)
            self.notes.append(f"coverage is not reconstructed: {partial_patch}")
        if found is None:
            found = measured(live, where_of(self._config).top)
        self.total = coverage.total(found) if partial is None else None
        return judged(self._rules, found, self._place(), partial, partial_patch)

    def _put_together(
        self, rebuilding: "Rebuilding", live: Reporting
    ) -> tuple[Measured | None, str | None]:
        """What a whole run would have covered, and why that is not known for certain."""
        from pytest_ciopt.usecases.rebuilding import NotStored

        try:
            found = rebuilding.put_together(live)
        except (NotStored, GitError) as error:
            self.notes.append(f"coverage is not reconstructed: {error}")
            return None, f"it is of a part, and not reconstructed: {error.what}"
        self.notes.append(f"coverage: {found.told}")
        if not found.doubts:
            return found.measured, None
        self.notes += (f"  It may not be exact: {doubt}." for doubt in found.doubts)
        return None, f"{found.told}, perhaps not exactly: {found.doubts[0]}"

    @contextmanager
    def _live(self) -> Iterator[Reporting]:
        """Raises: NoReport where nothing is measured."""
        own = self._config.stash.get(MEASURING, None)
        if own is not None:
            with own.combined() as whole:
                yield whole
            return
        plugin: Any = self._config.pluginmanager.getplugin("_cov")
        found: Reporting | None = running()
        if plugin is not None and not getattr(plugin.options, "no_cov", False):
            found = getattr(plugin.cov_controller, "cov", None)
        if found is None:
            raise NoReport("coverage is not measured: say --cov or --ciopt-cov")
        if found is running() and getattr(self._config.option, "tx", None):
            what = "workers are measured apart: combine, and let `ciopt check` judge"
            raise NoReport(what)
        yield found

    def _place(self) -> Place:
        where, base = where_of(self._config), None
        if self._rules.compares:
            from pytest_ciopt.hooks.run import base_here

            base = base_here(self._config)
        return Place(where.git, where.state, base)
