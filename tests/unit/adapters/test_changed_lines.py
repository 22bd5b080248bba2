"""Changed lines are those that git shows, of whatever names and texts."""

from pathlib import Path

import pytest

from pytest_ciopt.adapters.changed_lines import changed_lines
from pytest_ciopt.adapters.git import Git, GitError
from repository import Repository, repository

TEXT = "".join(f"x{n} = {n}\n" for n in range(1, 21))


@pytest.fixture
def made(tmp_path: Path) -> Repository:
    return repository(tmp_path / "r", {"a.py": TEXT, "old.py": TEXT, "gone.py": "x\n", "t.txt": ""})


def changed(made: Repository, base: str = "HEAD") -> dict[str, list[int] | None]:
    git = Git(made.root)
    commit = git.commit(base)
    assert commit is not None
    found = changed_lines(git, commit)
    return {path: None if lines is None else sorted(lines) for path, lines in found.items()}


def test_nothing(made: Repository) -> None:
    assert changed(made) == {}


def test_edited_added_and_deleted_lines(made: Repository) -> None:
    text = TEXT.replace("x3 = 3\n", "x3 = 4\nnew = 1\n").replace("x9 = 9\n", "")
    made.write({"a.py": text.replace("x20 = 20", "x20 = 21")})
    assert changed(made) == {"a.py": [3, 4, 20]}


def test_committed_staged_untracked_renamed_and_deleted(made: Repository) -> None:
    made.commit({"a.py": TEXT.replace("x1 =", "y1 =")})
    made.git("mv", "old.py", "renamed.py")
    made.replace("renamed.py", "x5 =", "y5 =")
    made.git("rm", "-q", "gone.py")
    made.write({"sub/new.py": "x = 1\n", "other.txt": "x\n", "t.txt": "y\n"})
    assert changed(made, "HEAD~1") == {"a.py": [1], "renamed.py": [5], "sub/new.py": None}


def test_lines_that_look_like_a_patch(made: Repository) -> None:
    made.write(
        {"a.py": "++ b/evil.py\n@@ -1,9 +1,9 @@\n-- a/x\n" + TEXT.replace("x7 ", "++ b/y7 ")}
    )
    assert changed(made) == {"a.py": [1, 2, 3, 10]}


@pytest.mark.parametrize(
    "name", ["with space.py", 'quo"te.py', "größe.py", "tab\there.py", "a\\b.py"]
)
def test_names(made: Repository, name: str) -> None:
    made.commit({name: "x = 1\n"})
    made.write({name: "x = 2\n"})
    assert changed(made) == {name: [1]}


def test_whatever_a_person_configured(made: Repository) -> None:
    for key, value in (
        ("diff.noprefix", "true"),
        ("diff.external", "false"),
        ("color.ui", "always"),
    ):
        made.git("config", key, value)
    made.git("config", "diff.mnemonicPrefix", "true")
    made.write({"a.py": TEXT.replace("x1 =", "y1 =")})
    assert changed(made) == {"a.py": [1]}


def test_no_end_of_the_last_line(made: Repository) -> None:
    made.write({"a.py": TEXT.removesuffix("\n")})
    assert changed(made) == {"a.py": [20]}


def test_a_base_that_is_no_commit(made: Repository) -> None:
    with pytest.raises(GitError, match="no commit id"):
        changed_lines(Git(made.root), "--output=x")
