"""Hooks by which a project can say what no analysis sees.

Implementations in a conftest should carry `@pytest.hookimpl(optionalhook=True)`: without
pytest-ciopt installed, pytest takes an unknown hook for an error. Hooks in the conftest of a
subfolder are asked about the tests below it only.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest


def pytest_ciopt_changed_files(config: pytest.Config) -> Iterable[str | Path] | None:
    """Further files that count as changed: absolute, or relative to the rootdir.

    Asked once, of the conftests that are loaded before collection. Example::

        @pytest.hookimpl(optionalhook=True)
        def pytest_ciopt_changed_files(config):
            if os.environ.get("NEW_FIXTURES"):
                return ["tests/data/recorded.json"]
    """


@pytest.hookspec(firstresult=True)
def pytest_ciopt_veto(config: pytest.Config, changed: Sequence[str]) -> str | None:
    """A reason to run everything; None when there is none.

    `changed` are the changed files, relative to the top of the repository. Asked once, of the
    conftests that are loaded before collection. Example::

        @pytest.hookimpl(optionalhook=True)
        def pytest_ciopt_veto(config, changed):
            if len(changed) > 500:
                return "a change this large is tested whole"
    """


def pytest_ciopt_dependencies(path: Path, config: pytest.Config) -> Iterable[str | Path] | None:
    """Files that the tests in `path` depend on, beside those they import.

    Paths, absolute or relative to the rootdir, or globs. Asked for each test module that is not
    selected already. Example::

        @pytest.hookimpl(optionalhook=True)
        def pytest_ciopt_dependencies(path, config):
            return [path.with_suffix(".yaml"), "schemas/*.json"]
    """


def pytest_ciopt_gates(
    session: pytest.Session, partial: str | None
) -> Iterable[tuple[str, bool | None, str]] | None:
    """Gates of the project's own: (name, whether it passes, why); None where it cannot be told.

    `partial` says why not all tests ran, None where all did. Asked once, at the end of the run, of
    the conftests that are loaded before collection. A gate that fails makes pytest end with 1.
    Example::

        @pytest.hookimpl(optionalhook=True)
        def pytest_ciopt_gates(session, partial):
            left = len(list(Path("tests/snapshots").glob("*.orphan")))
            yield "snapshots", not left, f"{left} of no test"
    """


@pytest.hookspec(firstresult=True)
def pytest_ciopt_always(item: pytest.Item) -> str | bool | None:
    """A reason (or True) to run a collected test whatever changed; None or False otherwise.

    Where it is implemented, every test module below must be imported to ask. Example::

        @pytest.hookimpl(optionalhook=True)
        def pytest_ciopt_always(item):
            return "smoke test" if "smoke" in item.keywords else None
    """
