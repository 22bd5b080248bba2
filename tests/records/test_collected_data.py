"""Tests that are made of files, which something else than they use as well.

An import leads from the folder of the data to another test, so that imports do tell whom an edit
concerns: not those who read it when tests are collected.
"""

from collections.abc import Mapping

import pytest

from conftest import MakeProject, failing
from pytest_ciopt.adapters.tracing.tracer import can_trace

pytestmark = pytest.mark.skipif(not can_trace(), reason="what runs cannot be watched here")

FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "cases/__init__.py": "",
    "cases/helper.py": "X = 1\n",
    "cases/a.txt": "good",
    "cases/a.case.py": "'good'",
    "tests/test_other.py": "from cases import helper\ndef test_other(): assert helper.X\n",
}
READ = """
from pathlib import Path
FOLDER = Path(__file__).parents[1] / "cases"
CASES = {one.name: one.read_text() for one in sorted(FOLDER.glob("*.*"))
         if one.suffix == ".txt" or ".case." in one.name}
"""
TEST = """
import pytest
@pytest.mark.parametrize("name", CASES)
def test_case(name): assert "good" in CASES[name]
"""
MADE: dict[str, Mapping[str, str]] = {
    "by a test module": {"tests/test_x.py": READ + TEST},
    "by what it imports": {
        "gathered.py": READ.replace("parents[1]", "parent"),
        "tests/test_x.py": f"from gathered import CASES\n{TEST}",
    },
    "by a hook": {
        "tests/conftest.py": """
from pathlib import Path
def pytest_generate_tests(metafunc):
    if "text" in metafunc.fixturenames:
        folder = Path(__file__).parents[1] / "cases"
        texts = [one.read_text() for one in sorted(folder.iterdir()) if one.is_file()]
        metafunc.parametrize("text", [text for text in texts if text and "X" not in text])
""",
        "tests/test_x.py": "def test_case(text): assert 'good' in text\n",
    },
}
EDITS = {
    "edited": ("cases/a.txt", "bad"),
    "edited source": ("cases/a.case.py", "'bad'"),
    "new": ("cases/b.txt", "bad"),
    "new source": ("cases/x.case.py", "'bad'"),
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("made", MADE)
def test_who_reads_it_when_tests_are_collected_is_selected(
    project: MakeProject, made: str, edit: str
) -> None:
    its = project(FILES | dict(MADE[made]))
    assert its.run("--ciopt-record=deps").ret == 0
    path, text = EDITS[edit]
    its.repository.write({path: text})
    broken = failing(its)
    assert broken
    assert broken <= its.select(exit_code=1).selected.keys()


def test_once_it_has_run_with_the_data_it_is_proved(project: MakeProject) -> None:
    made = project(FILES | dict(MADE["by a test module"]))
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.write({"cases/b.txt": "good, too"})
    decisions = made.select("--ciopt-record=deps")
    assert decisions.selected["tests/test_x.py::test_case[b.txt]"] == "tests/test_x.py lists cases/"
    assert not made.select().selected.keys() - {"tests/test_other.py::test_other"}


def test_a_source_that_is_read_as_data_may_be_kept(project: MakeProject) -> None:
    made = project(
        FILES
        | {
            "app.py": """
import functools, pathlib
@functools.cache
def text(path): return pathlib.Path(path).read_text()
""",
            "tests/test_x.py": """
import app
def test_a(): assert "good" in app.text("cases/a.case.py")
def test_b(): assert "good" in app.text("cases/a.case.py")
""",
        }
    )
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.write({"cases/a.case.py": "'bad'"})
    broken = failing(made)
    assert len(broken) == 2
    assert broken <= made.select(exit_code=1).selected.keys()
