"""A pytest plugin for benchmarks: writes which tests a run has chosen, and how they ended.

The file is named by the variable PROBE_FILE. Loaded with `-p selection_probe`.
"""

import json
import os

import pytest

_FAILED: set[str] = set()
_ITEMS: list[str] = []
_ERRORS: set[str] = set()
_OUTCOMES: dict[str, str] = {}
_SECONDS: dict[str, float] = {}


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    _ITEMS.extend(item.nodeid for item in session.items)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        _ERRORS.add(report.nodeid)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _SECONDS[report.nodeid] = _SECONDS.get(report.nodeid, 0.0) + report.duration
    if report.failed:
        _FAILED.add(report.nodeid)
    word = report.outcome if not hasattr(report, "wasxfail") else f"x{report.outcome}"
    if report.when == "call" or word != "passed":
        _OUTCOMES[report.nodeid] = max(word, _OUTCOMES.get(report.nodeid, ""), key=_weight)


def _weight(outcome: str) -> int:
    """A failure in any phase is the outcome; else what was said last."""
    return outcome == "failed"


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    found = {
        "chosen": _ITEMS,
        "failed": sorted(_FAILED),
        "errors": sorted(_ERRORS),
        "outcomes": _OUTCOMES,
        "seconds": _SECONDS,
    }
    with open(os.environ["PROBE_FILE"], "w", encoding="utf-8") as stream:
        json.dump(found, stream)
