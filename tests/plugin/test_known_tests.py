"""What `ciopt plan` need not collect again: it is planned as if everything had been collected."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import MakeProject, Project
from pytest_ciopt.adapters import plans
from pytest_ciopt.cli.main import main
from pytest_ciopt.core.plan.plan import Plan

CONFTEST = """import pytest

@pytest.fixture(scope="session")
def service(): return 1
"""
BOTH = ["test_alone", "test_shop"]
FILES = {
    "pytest.ini": "[pytest]\n",
    ".gitignore": "__pycache__\nimported.txt\n",
    "shop.py": "def price(): return 1\nSIZES = [1, 2]\n",
    "noted.py": """
        def note(name):
            with open("imported.txt", "a") as stream:
                stream.write(name + "\\n")
        """,
    "tests/conftest.py": CONFTEST,
    "tests/test_shop.py": """
        import noted, pytest, shop
        noted.note(__name__)

        @pytest.mark.parametrize("size", shop.SIZES)
        def test_size(size): pass
        """,
    "tests/test_alone.py": """
        import noted, pytest
        noted.note(__name__)

        @pytest.mark.xdist_group("one")
        def test_a(service): pass

        @pytest.mark.xdist_group("one")
        def test_b(): pass
        """,
    "README.md": "Shop\n",
}
SHOP = ["tests/test_shop.py::test_size[1]", "tests/test_shop.py::test_size[2]"]
ALONE = ["tests/test_alone.py::test_a", "tests/test_alone.py::test_b"]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def made(project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A test of ours has variables that differ while it is set up and runs."""
    monkeypatch.delenv("PYTEST_CURRENT_TEST", raising=False)
    made = project(FILES)
    monkeypatch.setenv("PYTHONPATH", str(made.repository.root))
    return made


def planned(*arguments: str) -> Plan:
    """The plan, whenever it was made."""
    assert main(("plan", "--shards=2", *arguments)) == 0
    return replace(plans.read(Path("ciopt-plan.json")), made=0.0)


def names_in(plan: Plan) -> list[str]:
    return sorted(test for number in (1, 2) for test in plan.named(number))


def imported() -> list[str]:
    """What was imported since the last time this was asked."""
    place = Path("imported.txt")
    names = sorted(place.read_text().split()) if place.exists() else []
    place.unlink(missing_ok=True)
    return names


def anew() -> Plan:
    plan = planned("--collect")
    imported()
    return plan


def commit(made: Project, files: dict[str, str | None]) -> None:
    for path, text in files.items():
        if text is None:
            (made.repository.root / path).unlink()
        else:
            (made.repository.root / path).write_text(text)
    made.repository.commit()


def test_the_same_commit_is_not_collected_twice(made: Project, capsys: Capture) -> None:
    first = planned()
    assert imported() == BOTH
    assert names_in(first) == [*ALONE, *SHOP]
    capsys.readouterr()
    assert planned() == first
    assert imported() == []
    told = capsys.readouterr().err
    assert told.startswith("ciopt: no test file is imported: the tests are those of ")
    assert planned("--collect") == first
    assert imported() == BOTH


def test_only_what_a_change_can_affect_is_imported(made: Project, capsys: Capture) -> None:
    planned()
    imported()
    commit(made, {"shop.py": "def price(): return 1\nSIZES = [2, 30]\n"})
    capsys.readouterr()
    plan = planned()
    assert imported() == ["test_shop"]
    told = capsys.readouterr().err
    assert told.startswith("ciopt: 1 of 2 test files are imported; the tests of the others are ")
    assert plan == anew()
    assert names_in(plan) == [*ALONE, SHOP[1], "tests/test_shop.py::test_size[30]"]


@pytest.mark.parametrize(
    ("files", "read"),
    [
        ({"README.md": "Shops\n"}, []),
        ({"tests/test_alone.py": None}, []),
        ({"tests/test_new.py": "def test_new(): pass\n"}, []),
        ({"tests/conftest.py": CONFTEST.replace("session", "module")}, BOTH),
        ({"pytest.ini": "[pytest]\npython_functions = test_a *size\n"}, BOTH),
    ],
)
def test_a_plan_is_the_same_as_when_all_is_collected(
    made: Project, files: dict[str, str | None], read: list[str]
) -> None:
    planned()
    imported()
    commit(made, files)
    plan = planned()
    assert imported() == read
    assert plan == anew()


def test_a_renamed_test_file_has_its_new_name(made: Project) -> None:
    planned()
    imported()
    folder = made.repository.root / "tests"
    (folder / "test_alone.py").rename(folder / "test_moved.py")
    made.repository.commit()
    plan = planned()
    assert imported() == ["test_moved"]
    assert plan == anew()


def test_edits_that_are_not_committed_are_seen_and_not_kept(made: Project) -> None:
    planned()
    imported()
    before = (made.repository.root / "shop.py").read_text()
    (made.repository.root / "shop.py").write_text("SIZES = [7]\n")
    assert names_in(planned()) == [*ALONE, "tests/test_shop.py::test_size[7]"]
    assert imported() == ["test_shop"]
    (made.repository.root / "shop.py").write_text(before)
    plan = planned()
    assert imported() == []
    assert names_in(plan) == [*ALONE, *SHOP]


def another_variable(made: Project, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    monkeypatch.setenv("PYTHONHASHSEED", "1")
    return ()


def a_folder(made: Project, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    return ("--", "tests")


def other_options(made: Project, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k test_a")
    return ()


def another_history_of_git(made: Project, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    made.repository.git("checkout", "--quiet", "--orphan", "another")
    made.repository.commit()
    return ()


def damage(made: Project, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    for place in (made.repository.root / ".ciopt/cache/collected").iterdir():
        place.write_text('{"schema": 1, "commit": 3, "root": "", "tests": [[1]], "fixtures": {}}')
    return ()


@pytest.mark.parametrize(
    "alter",
    [
        another_variable,
        a_folder,
        other_options,
        another_history_of_git,
        damage,
    ],
)
def test_what_cannot_be_compared_is_collected(
    made: Project,
    monkeypatch: pytest.MonkeyPatch,
    alter: Callable[[Project, pytest.MonkeyPatch], tuple[str, ...]],
) -> None:
    planned()
    imported()
    arguments = alter(made, monkeypatch)
    planned(*arguments)
    assert imported() == BOTH


@pytest.mark.parametrize(
    "option", ["--ciopt-slow=skip", "-cpytest.ini", "--rootdir=.", "-oxfail_strict=true"]
)
def test_of_some_options_nothing_is_kept(made: Project, option: str) -> None:
    """What they let through depends on more than commit and environment."""
    for _ in range(2):
        planned("--", option)
        assert imported() == BOTH


def test_a_selection_is_planned_by_itself(made: Project) -> None:
    planned()
    commit(made, {"shop.py": "SIZES = [5]\n"})
    imported()
    plan = planned("--changed=HEAD^")
    assert imported() == ["test_shop"]
    assert names_in(plan) == ["tests/test_shop.py::test_size[5]"]


def test_what_was_collected_long_ago_is_forgotten(made: Project) -> None:
    planned("--", "tests")
    (old,) = (made.repository.root / ".ciopt/cache/collected").iterdir()
    moment = time.time() - 91 * 86_400
    os.utime(old, (moment, moment))
    planned()
    (left,) = (made.repository.root / ".ciopt/cache/collected").iterdir()
    assert left != old


def test_a_folder_that_cannot_be_written_is_told(made: Project, capsys: Capture) -> None:
    state = made.repository.root / ".ciopt"
    state.mkdir()
    (state / "cache").write_text("no folder")
    planned()
    assert "cannot be written to" in capsys.readouterr().err
