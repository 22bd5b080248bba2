"""On a push to the default branch: the last commit upon which all tests of this very job passed."""

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Decisions, MakeProject, Project
from pytest_ciopt.cli.main import main

FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    ".gitignore": "__pycache__\n",
    "app/__init__.py": "",
    "app/one.py": "def one(): return 1\n",
    "app/two.py": "def two(): return 2\n",
    "tests/test_one.py": "from app.one import one\n\ndef test_one(): assert one() == 1\n",
    "tests/test_two.py": "from app.two import two\n\ndef test_two(): assert two() == 2\n",
}
ONE, TWO = "tests/test_one.py::test_one", "tests/test_two.py::test_two"
RECORD = "--ciopt-record=results"
UNKNOWN = (
    "GitHub Actions: a push to main, and the history knows no commit upon which all tests of this "
    "job have passed"
)
Edit = Callable[[str, str, str], str]


@pytest.fixture
def made(project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"repository": {"default_branch": "main"}}))
    for name, value in (
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "push"),
        ("GITHUB_REF", "refs/heads/main"),
        ("GITHUB_EVENT_PATH", str(event)),
        ("GITHUB_JOB", "tests"),
    ):
        monkeypatch.setenv(name, value)
    return project(FILES)


@pytest.fixture
def edit(made: Project) -> Edit:
    """Commits an edit of a module; the commit's id."""

    def commit(name: str, old: str, new: str) -> str:
        made.repository.replace(f"app/{name}.py", old, new)
        return made.repository.commit()

    return commit


def selected(decisions: Decisions) -> set[str]:
    assert decisions.everything is None
    return set(decisions.selected)


def test_without_a_history(made: Project) -> None:
    assert made.select().everything == UNKNOWN


def test_the_last_commit_that_passed(made: Project, edit: Edit) -> None:
    made.select()
    edit("one", "return 1", "return 0 + 1")
    assert selected(made.select()) == {ONE}


def test_a_nightly_run_without_a_selection_counts(made: Project, edit: Edit) -> None:
    assert made.run(RECORD).ret == 0
    edit("one", "return 1", "return 0 + 1")
    assert selected(made.select()) == {ONE}


def test_what_was_selected_upon_such_a_base_counts(made: Project, edit: Edit) -> None:
    made.select()
    edit("one", "return 1", "return 0 + 1")
    made.select()
    edit("two", "return 2", "return 0 + 2")
    assert selected(made.select()) == {TWO}


def test_what_was_selected_upon_another_base_does_not(
    made: Project, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows what that one was worth."""
    base = made.repository.git("rev-parse", "HEAD").strip()
    edit("one", "return 1", "return 0 + 1")
    monkeypatch.setenv("CIOPT_BASE", base)
    assert selected(made.select()) == {ONE}
    monkeypatch.delenv("CIOPT_BASE")
    edit("two", "return 2", "return 0 + 2")
    assert made.select().everything == UNKNOWN


def test_failures_are_owed_until_they_pass(made: Project, edit: Edit) -> None:
    made.select()
    edit("one", "return 1", "return 3")
    assert selected(made.select(exit_code=1)) == {ONE}
    edit("two", "return 2", "return 0 + 2")
    assert selected(made.select(exit_code=1)) == {ONE, TWO}
    edit("one", "return 3", "return 1")
    assert selected(made.select()) == {ONE, TWO}


def test_a_job_that_is_run_again_does_what_it_did(made: Project, edit: Edit) -> None:
    made.select()
    edit("one", "return 1", "return 0 + 1")
    assert selected(made.select()) == {ONE}
    assert selected(made.select()) == {ONE}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GITHUB_JOB", "other"),
        ("GITHUB_ACTION", "__run_2"),
        ("TOX_ENV_NAME", "another"),
        ("HATCH_ENV_ACTIVE", "another"),
        ("PYTHONPATH", "lib"),
        ("DATABASE", "big"),
    ],
)
def test_another_job_tells_nothing(
    made: Project, edit: Edit, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    made.repository.commit({"pytest.ini": f"{FILES['pytest.ini']}ciopt_environment = DATABASE\n"})
    made.select()
    edit("one", "return 1", "return 0 + 1")
    assert selected(made.select("--ciopt-record=off")) == {ONE}
    monkeypatch.setenv(name, value)
    assert made.select().everything == UNKNOWN


@pytest.mark.parametrize(
    ("unset", "others"), [("GITHUB_JOB", {}), ("GITHUB_ACTIONS", {"BITBUCKET_BUILD_NUMBER": "1"})]
)
def test_jobs_that_have_no_name_tell_nothing(
    made: Project,
    edit: Edit,
    monkeypatch: pytest.MonkeyPatch,
    unset: str,
    others: dict[str, str],
) -> None:
    monkeypatch.delenv(unset)
    for name, value in {"BITBUCKET_BRANCH": "main", **others}.items():
        monkeypatch.setenv(name, value)
    made.select()
    edit("one", "return 1", "return 0 + 1")
    assert made.select().everything is not None


def test_plugins_that_the_environment_names_are_of_the_job(
    made: Project, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One may leave tests out."""
    text = "def pytest_collection_modifyitems(items): items[:] = items[:1]\n"
    made.repository.commit({"app/first.py": text})
    monkeypatch.setenv("PYTEST_PLUGINS", "app.first")
    monkeypatch.setenv("PYTHONPATH", str(made.repository.root))
    assert "1 passed" in process()
    monkeypatch.delenv("PYTEST_PLUGINS")
    edit("two", "return 2", "return 0 + 2")
    assert UNKNOWN in process()


MAIN = """
import sys, pytest

class First: pass
class Second: pass

name = sys.argv.pop()
plugin = name if "." in name else globals()[name]
given = ["-p", "no:cacheprovider", "-p", "pytest_ciopt.plugin", "--ciopt-changed"]
sys.exit(pytest.main(given, plugins=[plugin]))
"""


@pytest.mark.parametrize(("one", "other"), [("app.one", "app.two"), ("First", "Second")])
def test_plugins_of_a_program_are_of_the_job(
    made: Project, edit: Edit, one: str, other: str
) -> None:
    made.repository.commit({"run.py": MAIN})

    def told(name: str) -> str:
        command = [sys.executable, "run.py", name]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert UNKNOWN in told(one)
    edit("two", "return 2", "return 0 + 2")
    assert UNKNOWN in told(other)
    edit("one", "return 1", "return 0 + 1")
    assert "1 passed" in told(other)


def test_a_working_tree_of_which_git_does_not_tell_is_no_base(made: Project, edit: Edit) -> None:
    git = made.repository.git
    git("config", "status.showUntrackedFiles", "no")
    made.repository.write({"app/data.txt": "left"})
    made.select()
    assert made.select().everything == UNKNOWN
    (made.repository.root / "app/data.txt").unlink()
    git("update-index", "--assume-unchanged", "app/two.py")
    made.repository.replace("app/two.py", "return 2", "return 1 + 1")
    told = "GitHub Actions: a push, and runs with such options cannot be compared"
    assert made.select().everything == told
    git("update-index", "--no-assume-unchanged", "app/two.py")
    git("checkout", "-q", ".")
    git("sparse-checkout", "set", "--no-cone", "/*", "!tests/test_one.py")
    assert not (made.repository.root / "tests/test_one.py").exists()
    assert made.select().everything == told
    git("sparse-checkout", "disable")
    assert made.select().everything == UNKNOWN


def test_what_another_base_leaves_out_unsaid_is_no_base(
    made: Project, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that only the command line names as one of tests was left out, and nothing tells."""
    base = made.repository.commit(
        {"checks/two.py": "from app.two import two\n\ndef test_checked(): assert two() == 2\n"}
    )
    arguments = ("tests/test_one.py", "checks/two.py")
    edit("one", "return 1", "return 0 + 1")
    monkeypatch.setenv("CIOPT_BASE", base)
    assert selected(made.select(*arguments)) == {ONE}
    monkeypatch.delenv("CIOPT_BASE")
    edit("one", "return 0", "return 0 + 0")
    assert made.select(*arguments).everything == UNKNOWN


def test_what_another_job_recorded_proves_nothing(
    made: Project, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that passes where this one fails."""
    deps = ("--ciopt-record=deps",)
    text = "import os\n\ndef two(): return 3 if os.environ['GITHUB_JOB'] == 'tests' else 2\n"
    made.select(*deps)
    made.repository.commit({"app/two.py": text})
    assert selected(made.select(*deps, exit_code=1)) == {TWO}
    monkeypatch.setenv("GITHUB_JOB", "other")
    made.run("--ciopt-changed", *deps)
    monkeypatch.setenv("GITHUB_JOB", "tests")
    made.repository.commit({"README.md": "Read me.\n"})
    assert selected(made.select(*deps, exit_code=1)) == {TWO}


def test_what_the_same_job_recorded_proves(made: Project, edit: Edit) -> None:
    """Upon a commit that another test keeps from being a base."""
    deps = ("--ciopt-record=deps",)
    made.select(*deps)
    edit("one", "return 1", "return 0 + 1")
    edit("two", "return 2", "return 3")
    assert selected(made.select(*deps, exit_code=1)) == {ONE, TWO}
    made.repository.commit({"README.md": "Read me.\n"})
    assert selected(made.select(*deps, exit_code=1)) == {TWO}


def test_what_nobody_knows_the_job_of_proves_nothing(
    made: Project, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person's machine, whose history was merged with that of the service."""
    deps = ("--ciopt-record=deps",)
    made.select(*deps)
    edit("one", "return 1", "return 0 + 1")
    with monkeypatch.context() as outside:
        outside.delenv("GITHUB_ACTIONS")
        made.run(*deps)
    assert selected(made.select(*deps)) == {ONE}


WEATHER = {
    "tests/test_weather.py": "import os\n\ndef test_weather(): assert 'RAIN' not in os.environ\n"
}


def fail_at_night(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of everything, for a reason that the repository does not show."""
    with monkeypatch.context() as night:
        night.setenv("RAIN", "heavy")
        assert made.run(RECORD).ret == 1


def test_a_run_that_fails_later_takes_the_base_back(
    made: Project, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.repository.commit(WEATHER)
    made.select()
    fail_at_night(made, monkeypatch)
    edit("one", "return 1", "return 0 + 1")
    assert made.select().everything == UNKNOWN


def test_a_run_that_passes_again_gives_it_back(
    made: Project, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.repository.commit(WEATHER)
    fail_at_night(made, monkeypatch)
    made.select()
    edit("one", "return 1", "return 0 + 1")
    assert selected(made.select()) == {ONE}


def test_a_run_that_fails_in_another_job_takes_nothing_back(
    made: Project, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = "import os\n\ndef test_job(): assert os.environ['GITHUB_JOB'] == 'tests'\n"
    made.repository.commit({"tests/test_job.py": test})
    made.select()
    with monkeypatch.context() as other:
        other.setenv("GITHUB_JOB", "other")
        assert made.run(RECORD).ret == 1
    edit("one", "return 1", "return 0 + 1")
    assert ONE in selected(made.select())


def test_a_job_is_what_it_was_before_conftests(
    made: Project, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a run that only records."""
    text = "import os\n\nos.environ.pop('PYTEST_ADDOPTS', None)\n"
    made.repository.commit({"conftest.py": text})
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k one")
    assert made.run(RECORD).ret == 0
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    edit("two", "return 2", "return 0 + 2")
    assert made.select().everything == UNKNOWN


def test_other_distributions_are_another_job(
    made: Project, edit: Edit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "library"
    (place / "database-1.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(place)
    made.select()
    edit("one", "return 1", "return 0 + 1")
    (place / "database-1.dist-info").rename(place / "database-2.dist-info")
    assert made.select().everything == UNKNOWN


@pytest.mark.parametrize("less", [["-k", "one"], ["tests/test_one.py"], ["--deselect", TWO]])
def test_another_command_tells_nothing(made: Project, edit: Edit, less: list[str]) -> None:
    made.select(*less)
    edit("two", "return 2", "return 0 + 2")
    assert made.select().everything == UNKNOWN
    edit("one", "return 1", "return 0 + 1")
    assert selected(made.select(*less)) == {ONE}


def test_a_command_in_the_environment_counts(
    made: Project, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k one")
    made.select()
    monkeypatch.delenv("PYTEST_ADDOPTS")
    edit("two", "return 2", "return 0 + 2")
    assert made.select().everything == UNKNOWN


def test_an_option_of_others_cannot_be_compared(made: Project) -> None:
    """Its value may be a secret, or choose what is tested."""
    made.repository.commit(
        {
            "conftest.py": "def pytest_addoption(parser): parser.addoption('--database')\n",
        }
    )
    why = "GitHub Actions: a push, and runs with such options cannot be compared"
    assert made.select("--database=big").everything == why
    assert made.select("--database=big").everything == why


@pytest.mark.parametrize("arguments", [["--ciopt-shard=1/2"], ["--lf"], ["--ciopt-slow=skip"]])
def test_what_runs_a_part_is_no_base(made: Project, edit: Edit, arguments: list[str]) -> None:
    made.run(RECORD, "-p", "cacheprovider", *arguments)
    edit("two", "return 2", "return 0 + 2")
    assert made.select("-p", "cacheprovider").everything is not None
    assert made.select("-p", "cacheprovider", *arguments).everything is not None


def test_edited_and_foreign_commits_are_no_base(made: Project, edit: Edit) -> None:
    """What is not committed, and what a forced push took away."""
    made.repository.replace("app/one.py", "return 1", "return 0 + 1")
    made.select()
    assert made.select().everything == UNKNOWN
    made.repository.git("checkout", "-q", ".")
    made.select()
    first = edit("one", "return 1", "return 0 + 1")
    assert selected(made.select()) == {ONE}
    made.repository.git("reset", "-q", "--hard", "HEAD~1")
    second = edit("two", "return 2", "return 0 + 2")
    assert first != second
    assert selected(made.select()) == {TWO}


def test_a_base_that_is_not_in_the_clone(
    made: Project, edit: Edit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = made.repository.git("rev-parse", "HEAD").strip()
    made.select()
    edit("one", "return 1", "return 0 + 1")
    shallow = tmp_path / "shallow"
    url = f"file://{made.repository.root}"
    made.repository.git("clone", "-q", "--depth=1", url, str(shallow))
    shutil.copytree(made.repository.root / ".ciopt", shallow / ".ciopt")
    monkeypatch.chdir(shallow)
    result = made.run("--ciopt-changed")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            f"*cannot compare with '{base[:12]}': the commit is not in this clone (shallow clone)."
            " To select tests here, give actions/checkout `fetch-depth: 0`."
        ]
    )


def test_untrusted_runs_are_no_base(
    made: Project, edit: Edit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.select()
    mine = made.repository.root / ".ciopt"
    for arguments, expected in ((["--untrusted"], UNKNOWN), ([], None)):
        other = tmp_path / f"other{len(arguments)}"
        monkeypatch.setenv("CIOPT_DIR", str(other))
        assert main(["history", "merge", str(mine), *arguments]) == 0
        known = [gzip.decompress(path.read_bytes()) for path in other.glob("segments/*.gz")]
        assert [text.count(b'"job"') for text in known] == ([0] if arguments else [2])
        edit("one", "return ", "return 0 + ")
        decisions = made.select("--ciopt-record=off")
        assert decisions.everything == expected


def test_parts_that_are_left_out(
    made: Project, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in ("commit", "environment", "options", "selection"):
        monkeypatch.setenv("CIOPT_RECORD_OMIT", part)
        made.select()
        assert made.select().everything == UNKNOWN
        edit("one", "return ", "return 0 + ")


def test_nothing_is_kept_elsewhere(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person's run is no job."""
    monkeypatch.delenv("GITHUB_ACTIONS")
    made.run(RECORD)
    made.repository.git("branch", "-q", "-M", "trunk")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert made.select().everything == UNKNOWN


def test_the_history_is_packed(made: Project, edit: Edit, monkeypatch: pytest.MonkeyPatch) -> None:
    made.select()
    monkeypatch.setenv("GITHUB_JOB", "other")
    made.select()
    monkeypatch.setenv("GITHUB_JOB", "tests")
    assert main(["history", "compact", "--keep=1"]) == 0
    edit("one", "return 1", "return 0 + 1")
    assert selected(made.select()) == {ONE}


def test_with_workers(made: Project, edit: Edit) -> None:
    made.select("-n2")
    edit("one", "return 1", "return 0 + 1")
    assert selected(made.select("-n2")) == {ONE}


@pytest.mark.parametrize(
    "conftest",
    [
        # pytest is told to stop, and that all is well
        "def pytest_runtest_setup(item):\n    pytest.exit('enough', returncode=0)\n",
        # who looks for leaks, behind all others
        "@pytest.hookimpl(wrapper=True, tryfirst=True)\n"
        "def pytest_sessionfinish(session):\n    yield\n    session.exitstatus = 1\n",
        "def pytest_unconfigure(config):\n    raise ValueError('leaked')\n",
    ],
)
def test_what_ends_otherwise_is_no_base(made: Project, conftest: str) -> None:
    made.repository.commit({"conftest.py": f"import pytest\n\n{conftest}"})
    assert made.run("--ciopt-changed").ret is not None
    made.repository.git("rm", "-q", "conftest.py")
    made.repository.commit()
    assert made.select().everything == UNKNOWN


def process(*flags: str) -> str:
    """What pytest prints in a process of its own, under flags of Python."""
    plugins = ("-p", "no:cacheprovider", "-p", "pytest_ciopt.plugin", "--ciopt-changed")
    command = [sys.executable, *flags, "-m", "pytest", *plugins]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_flags_of_python_are_another_job(made: Project, edit: Edit) -> None:
    """`python -O` runs the same tests, which may end otherwise."""
    assert UNKNOWN in process()
    assert UNKNOWN in process("-O")
    assert UNKNOWN in process("-O", "-X", "utf8")
    edit("one", "return 1", "return 0 + 1")
    assert "1 passed" in process("-O")


def test_nodes_of_one_job_are_told_apart(
    made: Project, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIRCLE_NODE_INDEX", "1")
    made.select()
    edit("one", "return 1", "return 0 + 1")
    monkeypatch.setenv("CIRCLE_NODE_INDEX", "0")
    assert made.select().everything == UNKNOWN


def test_a_variable_that_a_conftest_sets_is_no_difference(made: Project, edit: Edit) -> None:
    made.repository.commit(
        {
            "pytest.ini": f"{FILES['pytest.ini']}ciopt_environment = MODE\n",
            "conftest.py": "import os\n\nos.environ.setdefault('MODE', 'test')\n",
        }
    )
    assert UNKNOWN in process()
    edit("one", "return 1", "return 0 + 1")
    assert "1 passed" in process()
