"""Edits of what only processes run that tests start, each with the tests that it concerns."""

import tempfile

import pytest

from conftest import MakeProject, failing
from pytest_ciopt.adapters.tracing import starts
from pytest_ciopt.adapters.tracing.monitor import is_available

pytestmark = pytest.mark.skipif(not is_available(), reason="children are not watched here")
FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "app/__init__.py": "",
    "app/cli.py": """
        import sys
        from app import work

        def show(name):
            print(getattr(work, name)())

        def never():
            pass

        if __name__ == "__main__":
            show(sys.argv[1])
        """,
    "app/work.py": """
        SIZE = 1

        def one():
            return SIZE

        def two():
            return 2

        def read():
            return open("app/data/a.txt").read().strip()

        def extra():
            try:
                import plus
            except ImportError:
                return 0
            return plus.value()

        def never():
            return 4
        """,
    "app/data/a.txt": "3\n",
    "tests/test_it.py": """
        import os, subprocess, sys
        import pytest

        def cli(name, *before, **more):
            words = [sys.executable, *before, "-m", "app." + "cli", name]
            return subprocess.run(words, capture_output=True, text=True, check=True, **more).stdout

        @pytest.fixture(scope="session")
        def once():
            return cli("two")

        def test_one():
            assert cli("one") == "1\\n"

        def test_two():
            assert cli("two", env={**os.environ, "A": "1"}) == "2\\n"

        def test_read():
            assert cli("read") == "3\\n"

        def test_extra():
            assert cli("extra") == "0\\n"

        def test_user(once):
            assert once == "2\\n"

        def test_another_user(once):
            assert once == "2\\n"

        def test_unseen():
            assert cli("two", "-S") == "2\\n"

        def test_environment():
            code = "import json, os, sys; print(json.dumps([sys.path, dict(os.environ)]))"
            told = [
                subprocess.run([sys.executable, *no, "-c", code], capture_output=True, text=True)
                for no in ([], ["-Xno_debug_ranges"])
            ]
            assert told[0].stdout == told[1].stdout
            assert told[0].stderr == ""

        def test_modules():
            code = "import sys; print(sorted(sys.modules))"
            told = subprocess.check_output([sys.executable, "-c", code], text=True)
            assert "ciopt" not in told
            assert "atexit" not in told

        def test_free():
            pass
        """,
}
USERS = {"test_user", "test_another_user"}
EDITS: dict[str, tuple[str, str, str, set[str]]] = {
    "a function": ("app/work.py", "return 2", "return 20", {"test_two", *USERS}),
    "a function that nobody runs": ("app/work.py", "return 4", "return 5", set()),
    "what all run": (
        *("app/cli.py", "print(", "print('x', "),
        {"test_one", "test_two", "test_read", "test_extra", *USERS},
    ),
    "a constant": (
        *("app/work.py", "SIZE = 1", "SIZE = 2"),
        {"test_one", "test_two", "test_read", "test_extra", *USERS},
    ),
    "data": ("app/data/a.txt", "3", "4", {"test_read"}),
    "an import": (
        *("app/cli.py", "import sys", "import sys, no_such_module"),
        {"test_one", "test_two", "test_read", "test_extra", *USERS},
    ),
    "a signature, which can be looked at": (
        *("app/work.py", "def two()", "def two(more=None)"),
        {"test_one", "test_two", "test_read", "test_extra", *USERS},
    ),
    "a comment": ("app/work.py", "SIZE = 1", "SIZE = 1  # of all", set()),
}
UNSEEN = {"test_unseen", "test_environment"}


def named(tests: set[str]) -> set[str]:
    return {f"tests/test_it.py::{test}" for test in tests}


@pytest.mark.parametrize("name", EDITS)
def test_who_runs_what_changed_in_a_child_is_selected(project: MakeProject, name: str) -> None:
    path, old, new, concerned = EDITS[name]
    made = project(FILES)
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.replace(path, old, new)
    broken = failing(made)
    unseen = set() if name == "a comment" else UNSEEN
    decided = made.select(exit_code=1 if broken else 0)
    assert broken <= named(concerned | unseen)
    assert decided.selected.keys() == named(concerned | unseen)


def test_a_new_module_may_be_imported_by_any_child(project: MakeProject) -> None:
    made = project(FILES)
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.write({"plus.py": "def value():\n    return 1\n"})
    assert failing(made) == named({"test_extra"})
    reasons = made.select(exit_code=1).selected
    assert named({"test_extra", "test_modules"}) <= reasons.keys()
    assert "which may import plus.py" in str(reasons[min(named({"test_modules"}))])


def test_children_of_workers(project: MakeProject) -> None:
    made = project(FILES)
    assert made.run("--ciopt-record=deps", "-n2").ret == 0
    made.repository.replace("app/work.py", "return 2", "return 20")
    decided = made.select(exit_code=1)
    assert decided.selected.keys() == named({"test_two", *USERS, *UNSEEN})


def test_without_the_hook_nothing_is_known_of_children(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starts, "_AT_START", "no-such-file")
    made = project(FILES)
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.replace("app/work.py", "return 4", "return 5")
    every = {"test_modules", "test_read", "test_extra", "test_one", "test_two"}
    assert made.select().selected.keys() == named({*every, *USERS, *UNSEEN})


ODD = {
    "pytest.ini": "[pytest]\npythonpath = .\nciopt_dependencies = *.cfg -> app/sized.py\n",
    "requirements.txt": "jsonschema==1\npluggy==1\n",
    "flag.cfg": "a",
    "app/__init__.py": "",
    "app/work.py": "def two():\n    return 2\n",
    "app/sized.py": "import os\nsize = lambda: os.path.getsize('flag.' + 'cfg')\n",
    "app/late.py": "",
    "app/needs.py": "import jsonschema\n",
    "app/data/a.txt": "3",
    "app/data/b.txt": "3",
    "tests/test_imports.py": """
        from app import needs, sized, work

        def test_imports():
            pass
        """,
    "tests/test_late.py": """
        def test_late():
            from app import late
        """,
    "tests/test_it.py": """
        import os, pkgutil, subprocess, sys

        PACKAGE = "ap" + "p"
        TWO = f"import {PACKAGE}.work as work; print(work.two())"

        def said(code, **more):
            words = [sys.executable, "-c", code]
            return subprocess.run(words, capture_output=True, text=True, **more).stdout.strip()

        def test_two():
            assert said(TWO) == "2"

        def test_linked(tmp_path):
            os.symlink(os.path.abspath(PACKAGE), tmp_path / PACKAGE)
            assert said(TWO, cwd=tmp_path) == "2"

        def test_deaf():
            silence = "m = sys.monitoring; [m.register_callback(i, m.events.PY_START, None)"
            silence += " for i in range(6) if m.get_tool(i)]"
            assert said(f"import sys; {silence}; {TWO}") == "2"

        def test_got():
            code = f"import pkgutil; print(pkgutil.get_data('{PACKAGE}', 'data/a.' + 'txt'))"
            assert said(code) == "b'3'"

        def test_got_here():
            assert pkgutil.get_data(PACKAGE, "data/a." + "txt") == b"3"

        def test_linked_data(tmp_path):
            os.symlink(os.path.abspath(f"{PACKAGE}/data"), tmp_path / "data")
            assert said("print(open('data/a.' + 'txt').read())", cwd=tmp_path) == "3"

        def test_relative():
            top = f"top = os.open('{PACKAGE}/data', os.O_RDONLY)"
            code = f"import os; {top}; print(os.read(os.open('a.' + 'txt', 0, dir_fd=top), 9))"
            assert said(code) == "b'3'"

        def test_written():
            path = f"{PACKAGE}/data/b." + "txt"
            assert said(f"print(open('{path}').read())") == "3"
            with open(path, "w") as stream:  # what a child has read before is its input
                stream.write("3")

        def test_sized():
            assert said(f"import {PACKAGE}.sized as one; print(one.size())") == "1"

        def test_needs():
            assert said(f"import {PACKAGE}.needs; print(1)") == "1"
        """,
    "tests/test_look.py": """
        import subprocess, sys

        def test_look():
            code = "import importlib.util as util; print(util.find_spec('ap' + 'p.late'))"
            assert "late.py" in subprocess.check_output([sys.executable, "-c", code], text=True)
        """,
}
WIDE = {"test_deaf", "test_relative", "test_written"}
"""What was seen of their children may not be all, or changed meanwhile."""
CHILDREN = WIDE | {
    *("test_two", "test_linked", "test_got", "test_linked_data", "test_sized", "test_needs"),
}
HIDDEN: dict[str, tuple[str, str | None, set[str]]] = {
    "code": ("app/work.py", "def two():\n    return 20\n", {"test_two", "test_linked"}),
    "data": ("app/data/a.txt", "4", {"test_got", "test_got_here", "test_linked_data"}),
    "data that is written later": ("app/data/b.txt", "4", set()),
    "what a rule names": ("flag.cfg", "aa", CHILDREN),
    "a requirement": ("requirements.txt", "jsonschema==2\npluggy==1\n", CHILDREN),
    "a module that is gone": ("app/late.py", None, CHILDREN),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_a_child_does_in_ways_that_are_easily_missed(project: MakeProject, name: str) -> None:
    path, text, concerned = HIDDEN[name]
    made = project(ODD)
    assert made.run("--ciopt-record=deps").ret == 0
    if text is None:
        (made.repository.root / path).unlink()
    else:
        made.repository.write({path: text})
    broken = failing(made) - {"tests/test_late.py::test_late"}
    selected = made.select(exit_code=1 if broken else 0).selected.keys()
    assert broken <= selected
    of_this_file = {test for test in selected if test.startswith("tests/test_it.py")}
    assert of_this_file == named(concerned | WIDE)
    assert ("tests/test_look.py::test_look" in selected) == (concerned >= CHILDREN)


def test_a_record_of_another_base_does_not_tell_what_a_child_does_now(project: MakeProject) -> None:
    made = project(ODD)
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.commit(
        {"app/sized.py": "from app import work\nsize = lambda: work.two() - 1\n"}
    )
    made.repository.replace("app/work.py", "return 2", "return 20")
    assert named({"test_sized"}) <= failing(made)
    assert failing(made) <= made.select(exit_code=1).selected.keys()


def test_what_is_told_may_lie_in_the_repository(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project({**FILES, ".gitignore": "told/\n"})
    (made.repository.root / "told").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(made.repository.root / "told"))
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.replace("app/work.py", "return 2", "return 20")
    assert made.select(exit_code=1).selected.keys() == named({"test_two", *USERS, *UNSEEN})
