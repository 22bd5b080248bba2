"""Named environment variables that are others than when tests were recorded: everything runs."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import MakeProject, Project
from pytest_ciopt.adapters.tracing.tracer import can_trace
from pytest_ciopt.cli.main import main

pytestmark = pytest.mark.skipif(not can_trace(), reason="what runs cannot be watched here")

DEPS = "--ciopt-record=deps"
INI = "[pytest]\npythonpath = .\n"
FILES = {
    "pytest.ini": f"{INI}ciopt_environment = APP_* PLAIN\n",
    ".gitignore": "__pycache__\n",
    "app.py": "def one(): return 1\n",
    "tests/test_one.py": """\
        import os, pytest
        from app import one

        @pytest.mark.parametrize("mode", [os.environ.get("APP_MODE")])
        def test_mode(mode): assert one()
        """,
    "tests/test_two.py": "def test_two(): pass\n",
}
Everything = Callable[..., str | None]


@pytest.fixture
def made(project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("APP_MODE", "first")
    made = project(FILES)
    assert made.run(DEPS).ret == 0
    return made


@pytest.fixture
def everything(made: Project) -> Everything:
    """Why everything runs when nothing changed in the repository; None where nothing does."""

    def why(*arguments: str) -> str | None:
        decisions = made.select(*arguments)
        assert decisions.everything is not None or decisions.selected == {}
        return decisions.everything

    return why


def test_the_same_environment(everything: Everything, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER", "x")
    assert everything(DEPS) is None
    assert everything(DEPS) is None


@pytest.mark.parametrize(
    ("name", "value"), [("APP_MODE", "second"), ("APP_MODE", None), ("APP_NEW", ""), ("PLAIN", "")]
)
def test_another_environment(
    everything: Everything, monkeypatch: pytest.MonkeyPatch, name: str, value: str | None
) -> None:
    """Tests that are there only now are among those that run; and then stand on what is there."""
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    why = f"{name} was another when tests were recorded (ciopt_environment)"
    assert everything() == why
    assert everything(DEPS) == why
    assert everything(DEPS) is None


def test_several(everything: Everything, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_A", "x")
    monkeypatch.setenv("APP_B", "x")
    why = everything()
    assert why == "APP_A and 1 more was another when tests were recorded (ciopt_environment)"


def test_workers(made: Project, everything: Everything, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a conftest sets in the controller, workers inherit: the run did not begin with it."""
    made.repository.commit(
        {"conftest.py": "import os\nos.environ['APP_OWN'] = os.environ.get('APP_MODE', '') + 'x'\n"}
    )
    assert made.run(DEPS, "-n2").ret == 0
    assert everything("-n2", DEPS) is None
    monkeypatch.setenv("APP_MODE", "second")
    assert everything("-n2") is not None


def test_other_names_than_were_watched(made: Project, everything: Everything) -> None:
    made.repository.commit({"pytest.ini": f"{INI}ciopt_environment = APP_*\n"})
    why = everything()
    assert why is not None
    assert why.endswith(" did not watch what ciopt_environment names")


def test_nothing_is_watched_any_more(
    made: Project, everything: Everything, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.repository.commit({"pytest.ini": INI})
    monkeypatch.setenv("APP_MODE", "second")
    assert everything() is None


def test_without_records(project: MakeProject) -> None:
    made = project(FILES)
    why = "no test was recorded with the variables that ciopt_environment names"
    assert made.select().everything == why
    assert made.run("--ciopt-record=results").ret == 0
    assert made.select().everything == why


def test_the_command(
    made: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(("select",)) == 0
    assert capsys.readouterr().out == ""
    monkeypatch.setenv("APP_MODE", "second")
    assert main(("select",)) == 0
    assert capsys.readouterr().out.splitlines() == ["tests/test_one.py", "tests/test_two.py"]


def test_no_value_is_kept(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_MODE", "hidden treasure")
    assert made.run(DEPS, "--collect-only").ret == 0
    assert made.run(DEPS, "tests/test_two.py").ret == 0
    segments = [gzip.decompress(one.read_bytes()) for one in Path(".ciopt/segments").iterdir()]
    assert all(b'"APP_MODE"' in one for one in segments)
    assert not any(b"treasure" in one for one in segments)


@pytest.mark.parametrize("names", ["$APP_MODE", "APP_A,APP_B", "A=1"])
def test_what_is_no_name(made: Project, names: str) -> None:
    made.repository.write({"pytest.ini": f"{INI}ciopt_environment = {names}\n"})
    result = made.run("--ciopt-changed")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*ciopt_environment names *Write names like APP_MODE or APP_*"])
