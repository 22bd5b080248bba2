"""A pytest plugin for `selection.py`: writes which tests a run has chosen, and which failed.

The file is named by the variable PROBE_FILE. Loaded with `-p selection_probe`.
"""

import json
import os

import pytest

_FAILED: set[str] = set()
_ITEMS: list[str] = []
_ERRORS: set[str] = set()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    _ITEMS.extend(item.nodeid for item in session.items)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        _ERRORS.add(report.nodeid)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed:
        _FAILED.add(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    found = {"chosen": _ITEMS, "failed": sorted(_FAILED), "errors": sorted(_ERRORS)}
    with open(os.environ["PROBE_FILE"], "w", encoding="utf-8") as stream:
        json.dump(found, stream)
