import os
import time
from pathlib import Path

import pytest

from pytest_ciopt.adapters import sources
from pytest_ciopt.adapters.git import Git
from pytest_ciopt.adapters.listing import Listing
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.adapters.worktree import Worktree
from pytest_ciopt.core.graph.commands import MARK, Names
from pytest_ciopt.core.graph.index import ImportIndex
from repository import Repository, repository


@pytest.fixture
def project(tmp_path: Path) -> Repository:
    made = repository(tmp_path / "project", {"a.py": "import old\n", "b.py": "import other\n"})
    an_hour_ago = time.time() - 3600
    for name in ("a.py", "b.py"):
        os.utime(made.root / name, (an_hour_ago, an_hour_ago))
    return made


def listed(project: Repository) -> Listing:
    return Worktree(Git(project.root)).listing()


def built(project: Repository, listing: Listing | None = None) -> ImportIndex:
    state = StateDir(project.root / ".git" / "ciopt")
    return sources.build(project.root, listing or listed(project), state).imports


def test_a_file_written_after_git_was_asked_is_not_stored_under_its_old_content(
    project: Repository,
) -> None:
    before = listed(project)
    project.write({"a.py": "import new\n"})
    assert built(project, before).importers("new") == ("a.py",)

    project.write({"a.py": "import old\n"})
    assert listed(project).key == before.key
    again = built(project)
    assert again.importers("old") == ("a.py",)
    assert again.importers("new") == ()


def test_with_other_commands_everything_is_read_again(project: Repository) -> None:
    project.write({"b.py": 'run("report")\n'})
    project.commit()
    time.sleep(0.05)  # the files must be older than git's answer
    state = StateDir(project.root / ".git" / "ciopt")

    def naming(*commands: str) -> dict[str, list[str]]:
        built = sources.build(project.root, listed(project), state, Names(commands))
        return built.imports.marked(MARK)

    assert naming() == {}
    assert naming("report") == {"report": ["b.py"]}
    assert naming("report", "x") == {"report": ["b.py"]}
    assert naming("x") == {}


def test_what_was_stored_is_not_read_again(project: Repository) -> None:
    time.sleep(0.05)  # the files must be older than git's answer
    built(project)
    stored = listed(project)
    (project.root / "a.py").unlink()  # behind git's back: the listing is from before
    assert built(project, stored).importers("old") == ("a.py",)


@pytest.mark.parametrize("track", [True, False], ids=["edited", "new"])
def test_files_behind_a_linked_folder_count_before_they_are_committed(
    project: Repository, track: bool
) -> None:
    if track:
        project.commit({"real/mod.py": "import old\n"})
    project.write({"real/mod.py": "import new\n"})
    (project.root / "linked").symlink_to("real")
    project.git("add", "linked")
    assert set(built(project).importers("new")) == {"real/mod.py", "linked/mod.py"}


def test_a_deleted_file_is_not_seen_through_a_link(project: Repository) -> None:
    (project.root / "linked").symlink_to("real")
    project.commit({"real/mod.py": "", "real/gone.py": ""})
    (project.root / "real/gone.py").unlink()
    assert "linked/gone.py" not in built(project).files
    assert "linked/mod.py" in built(project).files
