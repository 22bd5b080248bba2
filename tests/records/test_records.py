"""How selections use records: what proves, what does not, and what happens in between."""

import gzip
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from conftest import MakeProject, Project
from pytest_ciopt.adapters.tracing.tracer import can_trace
from pytest_ciopt.cli.main import main

pytestmark = pytest.mark.skipif(not can_trace(), reason="what runs cannot be watched here")

FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    ".gitignore": "__pycache__\n",
    "app/__init__.py": "from app.code import one, two\n",
    "app/code.py": "def one():\n    return 1\n\n\ndef two():\n    return 2\n",
    "tests/test_one.py": "import app\n\ndef test_one():\n    assert app.one()\n",
    "tests/test_two.py": """
        import app

        def test_two():
            assert app.two()

        def test_three():
            assert app.two()

        def test_none():
            pass
        """,
}
ONE = "tests/test_one.py::test_one"
TWO, THREE = "tests/test_two.py::test_two", "tests/test_two.py::test_three"
NONE = "tests/test_two.py::test_none"
DEPS = "--ciopt-record=deps"
WITNESS = "has to import app/code.py, which changed"


@pytest.fixture
def recorded(project: MakeProject) -> Project:
    made = project(FILES)
    assert made.run(DEPS).ret == 0
    return made


def edit(made: Project, to: str = "3") -> None:
    made.repository.replace("app/code.py", "return 2", f"return {to}")


def test_one_edited_function(recorded: Project) -> None:
    edit(recorded)
    decisions = recorded.select()
    assert decisions.selected == dict.fromkeys((TWO, THREE), "executes app.code.two")
    (run,) = set(decisions.dropped.values())
    assert run.startswith("proved by run ")
    assert decisions.dropped.keys() == {NONE, "tests/test_one.py"}


def test_with_workers_it_is_the_same(project: MakeProject) -> None:
    made = project(FILES)
    assert made.run(DEPS, "-n2").ret == 0
    edit(made)
    assert made.select("-n2").selected.keys() == {TWO, THREE}


def test_when_all_is_proved_nothing_is_imported(recorded: Project) -> None:
    unused = "\n\ndef unused():\n    return 1\n"
    recorded.repository.commit({"app/code.py": FILES["app/code.py"] + unused})
    assert recorded.run(DEPS).ret == 0
    recorded.repository.replace("app/code.py", unused, unused.replace("1", "2"))
    result = recorded.run("--ciopt-changed=HEAD", "--ciopt-explain")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "dropped  tests/test_one.py (not imported): proved by run *",
            "dropped  tests/test_two.py (not imported): proved by run *",
            "nothing to run: 1 changed file; 2 test modules reached, and all tests proved by *",
        ]
    )


@pytest.mark.parametrize(
    "text", ["LIMIT = int('ten')\n", "class New:\n    x = undefined\n", "from os import nothing\n"]
)
def test_a_module_that_cannot_be_imported_any_more_is_imported(
    recorded: Project, text: str
) -> None:
    """No test mentions what changed, and all of them fail."""
    recorded.repository.write({"app/code.py": f"{FILES['app/code.py']}\n\n{text}"})
    result = recorded.run("--ciopt-changed")
    assert result.ret not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


def test_one_test_bears_witness_and_one_that_runs_anyway_is_enough(recorded: Project) -> None:
    code = FILES["app/code.py"]
    recorded.repository.write({"app/code.py": f"{code}\n\nUNUSED = 1\n"})
    assert recorded.select(DEPS).selected == {ONE: WITNESS}
    assert recorded.select().selected == {}, "it has been imported since"
    edited = code.replace("return 2", "return 3")
    recorded.repository.write({"app/code.py": f"{edited}\n\nUNUSED = 2\n"})
    assert recorded.select().selected == dict.fromkeys((TWO, THREE), "executes app.code.two")


def test_a_module_that_makes_something_of_what_changed_is_imported(project: MakeProject) -> None:
    made = project(
        {
            "pytest.ini": "[pytest]\npythonpath = .\n",
            "app/conf.py": "LEVEL = 'low'\ndef parsed(text): return int(text)\n",
            "app/use.py": "from app import conf\nTOP = {'low': 1}[conf.LEVEL]\n",
            "app/read.py": "from app import conf\nSIZE = conf.parsed('3')\n",
            "tests/test_conf.py": "import app.conf\n\ndef test_conf(): pass\n",
            "tests/test_read.py": "import app.read\n\ndef test_read(): pass\n",
            "tests/test_use.py": "import app.use\n\ndef test_use(): pass\n",
        }
    )
    assert made.run(DEPS).ret == 0
    for edit, file in (
        (("'low'", "'high'"), "tests/test_use.py"),
        (("int(text)", "int(text + 'x')"), "tests/test_read.py"),
    ):
        made.repository.replace("app/conf.py", *edit)
        run = made.run("--ciopt-changed=HEAD", "--ciopt-record=off")
        assert run.ret == pytest.ExitCode.INTERRUPTED
        assert f"ERROR {file}" in str(run.stdout)
        made.repository.git("checkout", "--", "app/conf.py")


def test_the_witness_is_a_test_that_this_run_collects(recorded: Project) -> None:
    """Others import it as well, and cannot tell what comes of that."""
    code = FILES["app/code.py"]
    recorded.repository.write({"app/code.py": f"{code}\n\nUNUSED = missing\n"})
    assert recorded.select(exit_code=2).selected.keys() == set(), (
        "tests/test_one.py is not collected"
    )
    for words in (
        ("tests/test_two.py",),
        ("--ignore=tests/test_one.py",),
        ("tests", "--ignore-glob=*/test_one.py"),
    ):
        result = recorded.run("--ciopt-changed", *words)
        assert result.ret == pytest.ExitCode.INTERRUPTED
        result.stdout.fnmatch_lines(["*NameError: name 'missing' is not defined*"])
    recorded.repository.write({"tests/test_new.py": "import app.code\n"})
    assert recorded.run("--ciopt-changed", "tests/test_two.py").ret == pytest.ExitCode.INTERRUPTED


def test_a_test_that_is_imported_and_loads_it_only_when_it_runs_is_no_witness(
    project: MakeProject,
) -> None:
    late = "def test_late():\n    from app import code\n    assert code.one() == 1\n"
    made = project({**FILES, "tests/test_a.py": f"{late}\ndef test_free():\n    assert True\n"})
    assert made.run(DEPS).ret == 0
    made.repository.replace("tests/test_a.py", "assert True", "assert 1")
    made.repository.replace("app/code.py", "def one", "UNUSED = 1\ndef one")
    selected = made.select().selected
    assert selected.pop("tests/test_a.py::test_free")
    assert list(selected.values()) == [WITNESS]


def test_edit_after_edit(recorded: Project) -> None:
    """What was edited is in no commit, and is known all the same."""
    for before, after in ((2, 3), (3, 4), (4, 5)):
        recorded.repository.replace("app/code.py", f"return {before}", f"return {after}")
        assert recorded.select(DEPS).selected.keys() == {TWO, THREE}
    assert recorded.select().selected == {}


def test_back_to_what_was(recorded: Project) -> None:
    edit(recorded)
    assert recorded.select(DEPS).selected.keys() == {TWO, THREE}
    recorded.repository.git("checkout", "--", "app/code.py")
    recorded.repository.commit({"README.md": "x"})
    base = recorded.repository.git("rev-parse", "HEAD~1")
    recorded.repository.write({"app/code.py": FILES["app/code.py"] + "\nMORE = 1\n"})
    assert recorded.select(f"--ciopt-changed={base}").selected.keys() == {TWO, THREE}


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda made: made.repository.git("commit", "--quiet", "--amend", "-m", "another"),
        lambda made: made.repository.git("checkout", "--quiet", "-b", "feature"),
        lambda made: made.repository.git("checkout", "--quiet", "--orphan", "squashed"),
        lambda made: made.repository.commit({"docs/a.md": "x", "app/unrelated.txt": "y"}),
    ],
    ids=["amended", "branch", "squashed", "later commit"],
)
def test_proofs_are_of_contents_and_not_of_commits(
    recorded: Project, rewrite: Callable[[Project], object]
) -> None:
    rewrite(recorded)
    recorded.repository.commit()
    edit(recorded)
    assert recorded.select("--ciopt-changed=HEAD").selected.keys() == {TWO, THREE}


def test_a_checkout_in_another_folder(
    recorded: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "elsewhere"
    recorded.repository.git("clone", "--quiet", "--depth=1", f"file://{Path.cwd()}", str(other))
    shutil.copytree(".ciopt", other / ".ciopt")
    monkeypatch.chdir(other)
    code = other / "app/code.py"
    code.write_text(code.read_text().replace("return 2", "return 3"))
    assert recorded.select("--ciopt-changed=HEAD").selected.keys() == {TWO, THREE}


def test_a_shallow_clone_keeps_what_later_ones_cannot_find(
    project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project(FILES)
    origin, old = Path.cwd(), tmp_path / "old"
    made.repository.git("clone", "--quiet", "--depth=1", f"file://{origin}", str(old))
    monkeypatch.chdir(old)
    assert made.run(DEPS).ret == 0
    monkeypatch.chdir(origin)
    made.repository.replace("app/code.py", "return 1", "return 9")
    made.repository.commit()
    new = tmp_path / "new"
    made.repository.git("clone", "--quiet", "--depth=1", f"file://{origin}", str(new))
    shutil.copytree(old / ".ciopt", new / ".ciopt")
    monkeypatch.chdir(new)
    code = new / "app/code.py"
    code.write_text(code.read_text().replace("return 2", "return 3"))
    selected = made.select("--ciopt-changed=HEAD").selected
    assert selected.keys() == {ONE, TWO, THREE}  # what differs from the record, base or not
    assert selected[ONE] == "executes app.code.one"


def test_a_part_of_a_module_is_not_taken_for_the_whole(project: MakeProject) -> None:
    made = project(FILES)
    assert made.run(DEPS, NONE).ret == 0
    edit(made)
    selected = made.select().selected
    assert selected.keys() == {ONE, TWO, THREE}
    assert selected[ONE] == "imports app.code.one via app; not proved: no record of this test"


def test_deselected_tests_have_no_record(project: MakeProject) -> None:
    made = project(FILES)
    assert made.run(DEPS, "-k", "not three").ret == 0
    made.repository.replace("app/code.py", "return 1", "return 9")
    assert made.select().selected.keys() == {ONE, THREE}


def test_the_reason_tells_why_a_record_does_not_help(project: MakeProject) -> None:
    code = """
        import atexit

        @atexit.register
        def one():
            return 1
        """
    test = "import app.code\n\ndef test_one():\n    pass\n"
    kept = {path: FILES[path] for path in ("pytest.ini", ".gitignore")}
    made = project({**kept, "app/code.py": code, "tests/test_one.py": test})
    assert made.run(DEPS).ret == 0
    made.repository.replace("app/code.py", "def one():", "def one(size=1):")
    told = "imports app.code; not proved: app/code.py: who learns of one cannot be told"
    assert made.select().selected == {ONE: told}


def test_new_tests_run(recorded: Project) -> None:
    recorded.repository.replace(
        "tests/test_two.py", "def test_none", "def test_new():\n    pass\n\ndef test_none"
    )
    assert recorded.select().selected.keys() == {"tests/test_two.py::test_new"}


def test_failed_last(recorded: Project) -> None:
    edit(recorded, "0")
    assert recorded.select(DEPS, exit_code=1).selected.keys() == {TWO, THREE}
    recorded.repository.git("checkout", "--", "app/code.py")
    recorded.repository.replace("app/code.py", "return 1", "return 9")
    selected = recorded.select(DEPS).selected
    assert selected[TWO] == selected[THREE] == "failed last"
    assert selected[ONE] == "executes app.code.one"
    assert recorded.select().selected == {}  # they have passed, and are no longer owed


def test_tests_that_never_finished_are_owed(recorded: Project) -> None:
    code = "import os\n\ndef test_one():\n    os._exit(3)\n"
    recorded.repository.write({"tests/test_one.py": code})
    recorded.run(DEPS, "-n1", "tests/test_one.py")
    recorded.repository.git("checkout", "--", "tests/test_one.py")
    edit(recorded)
    assert recorded.select().selected[ONE] == "failed last"


def test_a_file_that_is_edited_while_tests_run_proves_nothing(project: MakeProject) -> None:
    edits = """
        import app
        import pathlib

        def test_edits():
            path = pathlib.Path("app/code.py")
            path.write_text(path.read_text() + "\\nX = 1\\n")
        """
    made = project(FILES | {"tests/test_edits.py": edits})
    assert made.run(DEPS).ret == 0
    selected = made.select().selected
    assert selected.keys() >= {ONE, TWO, THREE, NONE}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"python":"3', b'"python":"2'),
        (b'"platform":"', b'"platform":"x'),
        (b'"distributions":["', b'"distributions":["another-1","'),
        (b'{"kind":"inputs"', b'{"kind":"unknown"'),
        (b'{"kind":"traced-session"', b'{"kind":"unknown"'),
    ],
    ids=["Python", "platform", "distributions", "no inputs", "no session"],
)
def test_records_of_other_surroundings_prove_nothing(
    recorded: Project, old: bytes, new: bytes
) -> None:
    (segment,) = Path(".ciopt/segments").glob("*.gz")
    content = gzip.decompress(segment.read_bytes())
    assert old in content
    segment.write_bytes(gzip.compress(content.replace(old, new)))
    edit(recorded)
    assert recorded.select().selected.keys() == {ONE, TWO, THREE, NONE}


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Installs a version of a distribution `zz_lib`, instead of any other."""
    site = tmp_path / "site-packages"
    site.mkdir()
    (site / "zz_lib.py").write_text("")
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", str(site))  # of runs in processes of their own

    def install(version: str, entry_points: str = "") -> None:
        for other in site.glob("*.dist-info"):
            shutil.rmtree(other)
        metadata = site / f"zz_lib-{version}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Name: zz-lib\nVersion: {version}\n")
        (metadata / "RECORD").write_text(f"zz_lib.py,,\n{metadata.name}/RECORD,,\n")
        (metadata / "entry_points.txt").write_text(entry_points)

    return install


USES_LIB = "import app, zz_lib\n\ndef test_lib():\n    assert app.one()\n"


def test_another_version_unproves_those_that_can_import_it(
    project: MakeProject, installed: Callable[[str], None]
) -> None:
    installed("1.0")
    made = project(FILES | {"tests/test_lib.py": USES_LIB})
    assert made.run(DEPS).ret == 0
    edit(made)
    assert made.select().selected.keys() == {TWO, THREE}
    installed("2.0")
    decisions = made.select()
    assert decisions.selected.keys() == {TWO, THREE, "tests/test_lib.py::test_lib"}
    assert decisions.dropped.keys() == {NONE, "tests/test_one.py"}


def test_another_version_of_a_plugin_unproves_all(
    project: MakeProject, installed: Callable[..., None]
) -> None:
    made = project(FILES)
    assert made.run(DEPS).ret == 0
    edit(made)
    installed("1.0", "[pytest11]\nlib = zz_lib\n")
    assert made.select().selected.keys() == {ONE, TWO, THREE, NONE}


def test_a_distribution_that_is_gone_unproves_all(
    project: MakeProject, installed: Callable[[str], None], tmp_path: Path
) -> None:
    installed("1.0")
    made = project(FILES)
    assert made.run(DEPS).ret == 0
    edit(made)
    (metadata,) = tmp_path.glob("site-packages/*.dist-info")
    shutil.rmtree(metadata)
    assert made.select().selected.keys() == {ONE, TWO, THREE, NONE}


def test_a_comment_selects_nothing(recorded: Project) -> None:
    recorded.repository.replace("app/code.py", "    return 2", "    # a comment\n    return 2")
    assert recorded.select().selected == {}


def test_a_version_that_a_build_tool_writes_changes_nothing(project: MakeProject) -> None:
    made = project(
        {
            **FILES,
            ".gitignore": "__pycache__\n_version.py\n",
            "app/__init__.py": "from app._version import version\nfrom app.code import one, two\n",
        }
    )
    generated = "__version__ = version = '1.0.dev{}'\nLIMIT = {}\n"
    made.repository.write({"app/_version.py": generated.format(1, 1)})
    assert made.run(DEPS).ret == 0
    made.repository.write({"app/_version.py": generated.format(2, 1)})
    assert made.select().selected == {}
    made.repository.write({"app/_version.py": generated.format(2, 2)})
    assert made.select().selected.keys() == {ONE}  # it has to be imported


def test_widened_to_the_closure(recorded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    code = FILES["app/code.py"]
    recorded.repository.write({"app/code.py": code + "\n\nUNUSED = 1\n"})
    assert recorded.select().selected == {ONE: WITNESS}
    monkeypatch.setenv("CIOPT_SAFETY", "closure")
    assert recorded.select().selected.keys() == {ONE, TWO, THREE, NONE}
    recorded.repository.write({"app/code.py": code.replace("return 2", "return 3")})
    assert recorded.select().selected.keys() == {TWO, THREE}


def test_a_safety_that_is_none(recorded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIOPT_SAFETY", "none")
    result = recorded.run("--ciopt-changed")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*ciopt_safety is 'none'. Use exact or closure.*"])


def test_rules_and_manifests_are_not_answered_by_records(recorded: Project) -> None:
    recorded.repository.commit({"table.csv": "1", "requirements.txt": "jsonschema==1\n"})
    recorded.repository.write({"table.csv": "2"})
    rule = "ciopt_dependencies=table.csv -> app/code.py"
    selected = recorded.select("--ciopt-changed=HEAD", "-o", rule).selected
    assert selected.keys() == {ONE, TWO, THREE, NONE}


def test_what_is_kept_of_records_is_disposable(recorded: Project) -> None:
    edit(recorded)
    assert recorded.select().selected.keys() == {TWO, THREE}
    (kept,) = Path(".ciopt/cache").glob("records-*")
    content = kept.read_bytes()
    for damaged in (b"", content[:-10], content.replace(b"two", b"too"), b"\n{}", b"x\n[]"):
        kept.write_bytes(damaged)
        assert recorded.select("--ciopt-record=off").selected.keys() == {TWO, THREE}
        assert kept.read_bytes() != damaged
    kept.unlink()
    assert recorded.select("--ciopt-record=off").selected.keys() == {TWO, THREE}


def test_without_segments_there_is_no_knowledge(recorded: Project) -> None:
    edit(recorded)
    assert recorded.select("--ciopt-record=off").selected.keys() == {TWO, THREE}
    for segment in Path(".ciopt/segments").iterdir():
        segment.unlink()
    assert recorded.select("--ciopt-record=off").selected.keys() == {ONE, TWO, THREE, NONE}


def test_of_very_many_runs_the_newest_are_read(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project(FILES)
    assert made.run(DEPS, "tests/test_one.py").ret == 0
    time.sleep(0.01)  # run ids sort by time
    assert made.run(DEPS, "tests/test_two.py").ret == 0
    made.repository.write({"app/code.py": FILES["app/code.py"] + "\nUNUSED = 1\n"})
    module = import_module("pytest_ciopt.adapters.history.knowing")
    monkeypatch.setattr(module, "MOST", 1)
    assert made.select("--ciopt-record=off").selected == {
        ONE: "imports app.code.one via app; not proved: no record of this test"
    }
    (kept,) = Path(".ciopt/cache").glob("records-*")
    kept.unlink()
    monkeypatch.setattr(module, "MOST", 1_000_000)
    assert made.select("--ciopt-record=off").selected == {ONE: WITNESS}


def with_python(version: str) -> None:
    """The newest segment becomes one of a run on another Python."""
    newest = max(Path(".ciopt/segments").glob("*.gz"))
    content = gzip.decompress(newest.read_bytes())
    changed = re.sub(rb'"python":"[^"]*"', f'"python":"{version}"'.encode(), content, count=1)
    newest.write_bytes(gzip.compress(changed))


def test_runs_on_another_interpreter_hide_nothing(recorded: Project) -> None:
    """Neither that a test was proved on this one, nor that it failed."""
    recorded.repository.replace("app/code.py", "return 1", "return 0")
    assert recorded.run(DEPS).ret == 1
    with_python("3.99.1")
    recorded.repository.replace("app/code.py", "return 0", "return 1")
    edit(recorded)
    assert recorded.select("--ciopt-record=off").selected.keys() == {TWO, THREE}


def test_records_of_other_interpreters_alone_are_told(recorded: Project) -> None:
    with_python("3.99.1")
    edit(recorded)
    result = recorded.run("--ciopt-changed", "--ciopt-record=off")
    result.stdout.fnmatch_lines(["note: nothing was recorded with cpython-*, but with *3.99.1*"])
    result.assert_outcomes(passed=4)


def test_a_run_without_its_environment_proves_nothing(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project(FILES)
    monkeypatch.setenv("CIOPT_RECORD_OMIT", "environment")
    assert made.run(DEPS).ret == 0
    edit(made)
    assert made.select("--ciopt-record=off").selected.keys() == {ONE, TWO, THREE, NONE}


def test_compacting_loses_no_records(recorded: Project) -> None:
    for _ in range(3):
        assert recorded.run("--ciopt-record=results").ret == 0
    assert recorded.run(DEPS, ONE).ret == 0
    assert main(("history", "compact", "--keep=1")) == 0
    names = [path.name for path in Path(".ciopt/segments").iterdir()]
    assert len(names) == 3
    assert sum(name.startswith("pack-") for name in names) == 1
    edit(recorded)
    assert recorded.select("--ciopt-record=off").selected.keys() == {TWO, THREE}


@pytest.mark.parametrize("trust", [True, False])
def test_runs_that_are_not_trusted_prove_nothing(
    recorded: Project, tmp_path: Path, trust: bool
) -> None:
    segments = tmp_path / "segments"
    shutil.move(".ciopt/segments", segments)
    assert main(("history", "merge", str(segments), *([] if trust else ["--untrusted"]))) == 0
    edit(recorded)
    selected = recorded.select("--ciopt-record=off").selected.keys()
    assert selected == ({TWO, THREE} if trust else {ONE, TWO, THREE, NONE})
    assert main(("history", "show", ONE)) == 0


def test_a_damaged_segment_is_left_out_and_told(recorded: Project) -> None:
    (segment,) = Path(".ciopt/segments").glob("*.gz")
    segment.write_bytes(segment.read_bytes()[:-30])
    edit(recorded)
    result = recorded.run("--ciopt-changed")
    result.stdout.fnmatch_lines(["note: *.jsonl.gz is left out: *"])
    result.assert_outcomes(passed=4)


def test_an_error_of_ours_falls_back_to_imports(
    recorded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    # By its name a package may still know a module that an inner run has imported and left.
    monkeypatch.setattr(import_module("pytest_ciopt.usecases.prove"), "prove", fails)
    edit(recorded)
    result = recorded.run("--ciopt-changed")
    result.stdout.fnmatch_lines(["note: records are not used: RuntimeError: broken (details in *"])
    result.assert_outcomes(passed=4)
    strict = recorded.run("--ciopt-changed", "--ciopt-strict")
    assert strict.ret == pytest.ExitCode.USAGE_ERROR


def test_histories_merge_in_any_order(project: MakeProject, tmp_path: Path) -> None:
    made = project(FILES)
    assert made.run(DEPS, "tests/test_one.py").ret == 0
    shutil.move(".ciopt", tmp_path / "first")
    time.sleep(0.01)  # run ids sort by time
    assert made.run(DEPS, "tests/test_two.py").ret == 0
    shutil.move(".ciopt", tmp_path / "second")
    edit(made)
    for order in (("first", "second"), ("second", "first")):
        for name in order:
            shutil.copytree(tmp_path / name, ".ciopt", dirs_exist_ok=True)
            made.run("--ciopt-changed", "--ciopt-record=off", "--co")
        assert made.select("--ciopt-record=off").selected.keys() == {TWO, THREE}
        shutil.rmtree(".ciopt")


def test_why_and_select_know_of_records(recorded: Project) -> None:
    edit(recorded)

    def ciopt(*arguments: str) -> str:
        command = [Path(sys.executable).with_name("ciopt"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert ciopt("select").split() == ["tests/test_two.py"]
    assert "is dropped: proved by run" in ciopt("why", "tests/test_one.py")
    assert f"{NONE} is dropped: proved by run" in ciopt("why", NONE)
    assert f"{TWO} runs: executes app.code.two" in ciopt("why", TWO)


def test_records_of_a_project_in_a_folder(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project({f"part/{name}": text for name, text in FILES.items()})
    monkeypatch.chdir("part")
    assert made.run(DEPS).ret == 0
    made.repository.replace("part/app/code.py", "return 2", "return 3")
    decisions = made.select()
    assert decisions.selected.keys() == {TWO, THREE}
    assert "part/tests/test_one.py" in decisions.dropped


def test_everything_that_is_recorded_can_be_read_as_json(recorded: Project) -> None:
    (segment,) = Path(".ciopt/segments").glob("*.gz")
    kinds = [
        json.loads(line)["kind"] for line in gzip.decompress(segment.read_bytes()).splitlines()
    ]
    assert {"units", "traced", "traced-session", "collected", "inputs"} <= set(kinds)


def test_groups_of_xdist_are_no_part_of_the_ids(project: MakeProject) -> None:
    marked = """
        import app, pytest

        @pytest.mark.xdist_group("g")
        @pytest.mark.parametrize("mail", ["a@b", "c"])
        def test_two(mail):
            assert app.two()

        def test_none():
            pass
        """
    made = project(FILES | {"tests/test_two.py": marked})
    assert made.run(DEPS, "-n2", "--dist=loadgroup").ret == 0
    edit(made)
    expected = {f"{TWO}[{mail}]" for mail in ("a@b", "c")}
    assert made.select("--ciopt-record=off").selected.keys() == expected


CHECKED = """
    import functools
    from pathlib import Path

    DATA = Path(__file__).with_name("table.txt")

    def checked(function):
        {}
        @functools.wraps(function)
        def checking():
            return function()
        return checking

    @checked
    def reads():
        return DATA.read_text()

    @checked
    def other():
        return 1
"""


@pytest.mark.parametrize("early", [False, True])
def test_what_reads_a_file_below_a_decorator_makes_no_other_function_of_those_beside_it(
    project: MakeProject, *, early: bool
) -> None:
    """It did not read it when it was called to decorate them, or it did."""
    files = {
        "app/__init__.py": "",
        "app/code.py": CHECKED.format("DATA.read_text()" if early else "pass"),
        "app/table.txt": "1",
        "tests/test_reads.py": "from app import code\ndef test_reads(): assert code.reads()\n",
        "tests/test_other.py": "from app import code\ndef test_other(): assert code.other()\n",
    }
    made = project(files | {"pytest.ini": FILES["pytest.ini"]})
    assert made.run(DEPS).ret == 0
    made.repository.write({"app/table.txt": "2"})
    selected = made.select().selected.keys()
    assert selected == {"tests/test_reads.py::test_reads"} | (
        {"tests/test_other.py::test_other"} if early else set()
    )
