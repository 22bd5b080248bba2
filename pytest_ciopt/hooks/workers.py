"""xdist: the controller ships its frozen decision, workers apply it and send back what came of it.

Loaded only together with xdist.
"""

from typing import Any

import pytest

from pytest_ciopt.core.transport import dumped
from pytest_ciopt.hooks.run import Run

KEY = "ciopt"
"""In `workerinput` and `workeroutput`."""


class Controller:
    """Hands the decision to each worker, and takes the outcome of the first that reports."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._filled = False

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Ships the decision with what xdist sends to a starting worker."""
        node.workerinput[KEY] = {
            "selection": dumped(self._run.selection),
            "top": str(self._run.top),
        }

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """All workers collect the same tests (xdist insists), so one account is enough."""
        told = getattr(node, "workeroutput", {}).get(KEY)
        if told is not None and not self._filled:
            self._filled = True
            self._run.outcome.fill(told)


class Worker:
    """Sends the outcome to the controller when the session of the worker ends."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fills `workeroutput`."""
        output: dict[str, object] = session.config.workeroutput  # type: ignore[attr-defined]
        output[KEY] = self._run.outcome.plain()
