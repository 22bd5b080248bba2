"""Variables of the environment, where somebody names them, are inputs of who reads them."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import QUIET, MakeProject, Project
from pytest_ciopt.adapters.tracing.tracer import can_trace
from pytest_ciopt.adapters.tracing.variables import Variables
from repository import Decisions

pytestmark = pytest.mark.skipif(not can_trace(), reason="what runs cannot be watched here")
FILES = {
    "pytest.ini": """\
        [pytest]
        pythonpath = .
        ciopt_environment = APP_* PLAIN
        """,
    ".gitignore": "__pycache__\n",
    "app/__init__.py": "",
    "app/settings.py": "import os\nDEBUG = os.environ.get('APP_DEBUG', '0') == '1'\n",
    "app/mode.py": """\
        import functools, os

        def mode(): return os.getenv("APP_MODE", "usual")

        @functools.cache
        def kept(): return os.environ.get("APP_KEPT")

        def everything(): return dict(os.environ)

        def nothing(): return 1
        """,
    "tests/test_mode.py": """\
        from app import mode

        def test_mode(): mode.mode()
        def test_nothing(): assert mode.nothing()

        def test_own(monkeypatch):
            monkeypatch.setenv("APP_MODE", "own")
            assert mode.mode() == "own"

        def test_first(): mode.kept()
        def test_second(): mode.kept()
        """,
    "tests/test_settings.py": "from app import settings\ndef test_debug(): settings.DEBUG\n",
    "tests/test_whole.py": "from app import mode\ndef test_whole(): mode.everything()\n",
    "tests/test_child.py": """\
        import subprocess, sys
        def test_child(): subprocess.run([sys.executable, "-c", ""])
        """,
    "tests/test_other.py": "def test_other(): pass\n",
}
WHOLE = "tests/test_whole.py::test_whole"
CHILD = "tests/test_child.py::test_child"
DEPS = "--ciopt-record=deps"
Chosen = Callable[..., dict[str, str]]


@pytest.fixture
def made(project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Recorded with two of the variables."""
    monkeypatch.setenv("APP_MODE", "one")
    monkeypatch.setenv("APP_KEPT", "one")
    made = project(FILES)
    assert made.run(DEPS).ret == 0
    return made


@pytest.fixture
def chosen(made: Project) -> Chosen:
    """What runs, with why; nothing changed but the environment."""
    return lambda *arguments: made.select(DEPS, *arguments).selected


def test_the_same_environment(chosen: Chosen) -> None:
    assert chosen() == {}


def test_a_variable_that_nobody_named(chosen: Chosen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER", "two")
    assert chosen() == {}


@pytest.mark.parametrize("value", ["two", "", None])
def test_who_reads_it(chosen: Chosen, monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    """A test that sets it by itself is not among them; who hands all on to a child is."""
    if value is None:
        monkeypatch.delenv("APP_MODE")
    else:
        monkeypatch.setenv("APP_MODE", value)
    assert chosen() == {
        "tests/test_mode.py::test_mode": "reads $APP_MODE",
        WHOLE: "reads $APP_MODE",
        CHILD: "starts a process",
    }


def test_who_imports_what_reads_it(chosen: Chosen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_DEBUG", "1")
    assert chosen() == {
        "tests/test_settings.py::test_debug": "app/settings.py reads $APP_DEBUG",
        CHILD: "starts a process",
    }


def test_who_gets_what_another_test_has_read(
    chosen: Chosen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The value is kept in a cache, which the first test has filled."""
    monkeypatch.setenv("APP_KEPT", "two")
    found = chosen()
    assert {f"tests/test_mode.py::test_{name}" for name in ("first", "second")} <= found.keys()
    assert "tests/test_other.py::test_other" not in found


def test_what_is_read_for_all(
    made: Project, monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester
) -> None:
    """In processes of their own: a second run in this one begins to watch behind the conftest."""
    reading = "import os\n\ndef pytest_configure(config): os.getenv('PLAIN')\n"
    made.repository.commit({"conftest.py": reading})
    plugins = ("-p", "no:cacheprovider", "-p", "pytest_ciopt.plugin", *QUIET, DEPS)
    assert pytester.runpytest_subprocess(*plugins).ret == 0
    monkeypatch.setenv("PLAIN", "x")
    flags = ("--ciopt-changed", f"--ciopt-json={made.decisions_file}")
    assert pytester.runpytest_subprocess(*plugins, *flags).ret == 0
    found = Decisions.read(made.decisions_file).selected
    assert len(found) == 9
    assert found["tests/test_other.py::test_other"] == "$PLAIN was read for all, and is another"


def test_workers(made: Project, chosen: Chosen, monkeypatch: pytest.MonkeyPatch) -> None:
    assert made.run(DEPS, "-n2").ret == 0
    assert chosen("-n2") == {}
    monkeypatch.setenv("APP_DEBUG", "1")
    assert chosen("-n2").keys() == {"tests/test_settings.py::test_debug", CHILD}


def test_no_value_is_kept(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_MODE", "hidden treasure")
    assert made.run(DEPS).ret == 0
    segments = [gzip.decompress(one.read_bytes()) for one in Path(".ciopt/segments").iterdir()]
    assert any(b"/$APP_MODE" in one for one in segments)
    assert not any(b"treasure" in one for one in segments)


# --- what is seen --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ask",
    [
        lambda: os.environ["PLAIN"],
        lambda: os.environ.get("PLAIN"),
        lambda: os.getenv("PLAIN"),
        lambda: os.environb.get(b"PLAIN"),
        lambda: "PLAIN" in os.environ,
        lambda: dict(os.environ),
        lambda: os.environ.copy(),
        lambda: list(os.environ.items()),
        lambda: os.path.expandvars("$PLAIN"),
        lambda: {**os.environ},
    ],
)
def test_every_way_to_read(monkeypatch: pytest.MonkeyPatch, ask: Callable[[], object]) -> None:
    monkeypatch.setenv("PLAIN", "x")
    read: list[str] = []
    variables = Variables(["PLAIN"], lambda place, frame: read.append(place), read.append)
    kind = type(os.environ)
    before = kind.__getitem__, kind.__setitem__, kind.__delitem__
    variables.start()
    try:
        ask()
    finally:
        variables.stop()
        variables.stop()
    assert set(read) == {"/$PLAIN"}
    assert (kind.__getitem__, kind.__setitem__, kind.__delitem__) == before
    ask()
    assert len(read) < 10


def test_where_nothing_is_named() -> None:
    before = type(os.environ).__getitem__
    variables = Variables([], lambda place, frame: None, lambda place: None)
    variables.start()
    assert type(os.environ).__getitem__ is before
    variables.stop()
