"""Tests that are renamed keep their durations: real git, real runs."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from conftest import MakeProject, Project
from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.git import Git, GitError
from pytest_ciopt.adapters.history.index import Index, ask
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.cli.main import main
from pytest_ciopt.core.history.forecast import Forecast
from pytest_ciopt.usecases import expecting

RECORD = "--ciopt-record=results"
SLEEPS = """
import time
def test_slow(): time.sleep(0.05)
def test_quick(): pass
"""
Show = Callable[..., str]


@pytest.fixture
def history(capsys: pytest.CaptureFixture[str]) -> Show:
    def show(*arguments: str) -> str:
        capsys.readouterr()
        assert main(("history", *arguments)) == 0
        return capsys.readouterr().out

    return show


@pytest.fixture
def recorded(project: MakeProject) -> Project:
    made = project({"pytest.ini": "[pytest]\n", "tests/test_old.py": SLEEPS})
    made.run(RECORD)
    made.run(RECORD)
    return made


def rename(made: Project, *, commit: bool = False) -> None:
    made.repository.git("mv", "tests/test_old.py", "tests/test_new.py")
    if commit:
        made.repository.git("commit", "-qm", "renamed")


def forecasts(made: Project, *tests: str) -> Mapping[str, Forecast]:
    top = made.repository.root

    def question(index: Index) -> Mapping[str, Forecast]:
        moved = expecting.moved(index, top, Git(top))
        (run,) = index.runs(1)
        return expecting.forecasts(index, moved, tests, run.start.environment.key)

    return ask(StateDir(top / ".ciopt"), now(), question)[0]


@pytest.mark.parametrize("commit", [True, False])
def test_durations_go_with_a_renamed_file(recorded: Project, history: Show, commit: bool) -> None:
    rename(recorded, commit=commit)
    told = json.loads(history("show", "tests/test_new.py::test_slow", "--json"))
    assert told["former"] == ["tests/test_old.py::test_slow"]
    assert len(told["results"]) == 2
    (expected,) = told["expected"].values()
    assert expected["call"] >= 0.05
    (first, *rest) = json.loads(history("slowest", "--json"))
    assert first["id"] == "tests/test_new.py::test_slow"
    assert [one["id"] for one in rest] == ["tests/test_new.py::test_quick"]
    found = forecasts(recorded, "tests/test_new.py::test_slow")["tests/test_new.py::test_slow"]
    assert found.origin == "earlier name"
    assert found.estimate.count == 2
    assert found.estimate.call >= 0.05


def test_results_before_and_after_are_one_history(recorded: Project, history: Show) -> None:
    rename(recorded, commit=True)
    recorded.run(RECORD)
    said = history("show", "tests/test_new.py::test_quick").splitlines()
    assert said[1] == "formerly   tests/test_old.py::test_quick"
    assert said[2] == "outcomes   ..."
    assert "(3 results, " in said[4]


def test_all_names_of_a_file_that_was_renamed_twice(recorded: Project, history: Show) -> None:
    """What was recorded last counts, and not what was recorded under the first name."""
    rename(recorded)
    path = recorded.repository.root / "tests/test_new.py"
    path.write_text(SLEEPS.replace("0.05", "0.2"))
    recorded.repository.git("commit", "-qam", "renamed, and slower")
    for _ in range(3):
        recorded.run(RECORD)
    recorded.repository.git("mv", "tests/test_new.py", "tests/test_aaa.py")
    recorded.repository.git("commit", "-qm", "renamed again")
    now_named = "tests/test_aaa.py::test_slow"
    assert history("show", now_named).splitlines()[1:4] == [
        "formerly   tests/test_new.py::test_slow",
        "formerly   tests/test_old.py::test_slow",
        "outcomes   .....",
    ]
    told = json.loads(history("show", now_named, "--json"))
    assert [result["call"] >= 0.2 for result in told["results"]] == [False] * 2 + [True] * 3
    (expected,) = told["expected"].values()
    assert expected["call"] >= 0.2
    first = json.loads(history("slowest", "--json"))[0]
    assert (first["id"], first["results"]) == (now_named, 3)
    assert first["call"] >= 0.2
    assert forecasts(recorded, now_named)[now_named].estimate.call >= 0.2


def test_a_file_that_was_edited_while_it_was_renamed(recorded: Project, history: Show) -> None:
    rename(recorded)
    path = recorded.repository.root / "tests/test_new.py"
    path.write_text(SLEEPS + "def test_another(): pass\n")
    assert "formerly" in history("show", "tests/test_new.py::test_slow")
    found = forecasts(recorded, "tests/test_new.py::test_another")
    assert found["tests/test_new.py::test_another"].origin == "suite"


def test_files_that_are_gone_are_left_out(recorded: Project, history: Show) -> None:
    other = recorded.repository.root / "tests/test_other.py"
    other.write_text("def test_here(): pass\n")
    recorded.run(RECORD)
    recorded.repository.git("rm", "-q", "tests/test_old.py")
    _, line, left_out = history("slowest").splitlines()
    assert line.endswith("tests/test_other.py::test_here")
    assert left_out == "left out: 2 tests of files that are not in this tree"
    assert len(json.loads(history("slowest", "--json"))) == 1
    said = history("show", "tests/test_old.py::test_slow")
    assert "formerly" not in said
    assert "outcomes   ...\n" in said


def test_a_clone_that_lacks_the_commit(
    recorded: Project, history: Show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename(recorded, commit=True)
    recorded.repository.commit({"other.txt": "1"})
    shallow = tmp_path / "shallow"
    url = recorded.repository.root.as_uri()
    recorded.repository.git("clone", "-q", "--depth=1", url, str(shallow))
    monkeypatch.chdir(shallow)
    history("merge", str(recorded.repository.root / ".ciopt/segments"))
    assert history("slowest").splitlines()[-1].startswith("left out: 2 tests")


def test_parameters_that_pytest_shortens_keep_their_durations(project: MakeProject) -> None:
    made = project(
        {
            "pytest.ini": "[pytest]\n",
            "test_long.py": """
                import time, pytest
                @pytest.mark.parametrize("text", ["x" * 101, "short"])
                def test(text): time.sleep(0.05 if len(text) > 100 else 0)
                """,
        }
    )
    # pytest before 9.1 always spells them out.
    spelled = ("-o", "parametrize_long_str_id_strategy=legacy")
    made.run(RECORD, *(spelled if pytest.version_tuple >= (9, 1) else ()))
    found = forecasts(made, "test_long.py::test[text0]", "test_long.py::test[short]")
    carried, own = found.values()
    assert (carried.origin, own.origin) == ("earlier name", "history")
    assert carried.estimate.call >= 0.05 > own.estimate.call


def test_git_is_given_no_option_for_a_commit(recorded: Project) -> None:
    """Commits come from segments, and these from anywhere."""
    with pytest.raises(GitError, match="'--output=made' is no commit id"):
        Git(recorded.repository.root).renamed_since("--output=made")
    assert not (recorded.repository.root / "made").exists()
