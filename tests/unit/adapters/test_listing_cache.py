"""A kept list of tracked files may never be another one than git would give."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_ciopt.adapters import listing_cache
from pytest_ciopt.adapters.git import Git
from pytest_ciopt.adapters.listing import Listing
from pytest_ciopt.adapters.listing_cache import NAME, index_id
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.adapters.worktree import Worktree
from repository import Repository, repository


@pytest.fixture
def project(tmp_path: Path) -> Repository:
    files = {f"pkg/mod{number}.py": f"import os  # {number}\n" for number in range(5)}
    return repository(tmp_path / "project", {**files, "café.txt": "text", "pkg/__init__.py": ""})


@pytest.fixture
def state(project: Repository, monkeypatch: pytest.MonkeyPatch) -> StateDir:
    """Here even small lists are kept."""
    monkeypatch.setattr(listing_cache, "_WORTH_STORING", 0)
    return StateDir(project.root / ".git" / "ciopt")


def plain(listing: Listing) -> tuple[object, ...]:
    facts = (listing.answer, listing.key, listing.odd, listing.dirty, listing.clean)
    return (*facts, listing.untracked, listing.ignored)


def listed(project: Repository, state: StateDir | None) -> tuple[object, ...]:
    return plain(Worktree(Git(project.root), state).listing())


def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that git is given from now on."""
    found: list[str] = []
    run = Git.run

    def noted(self: Git, *arguments: str, stdin: bytes | None = None) -> bytes:
        found.append(arguments[0])
        return run(self, *arguments, stdin=stdin)

    monkeypatch.setattr(Git, "run", noted)
    return found


def test_the_second_time_git_is_not_asked(
    project: Repository, state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = listed(project, None)
    commands = asked(monkeypatch)
    assert listed(project, state) == expected
    assert commands.count("ls-files") == 1
    assert listed(project, state) == expected
    assert commands.count("ls-files") == 1
    assert listed(project, None) == expected
    assert commands.count("ls-files") == 2


STEPS: dict[str, Callable[[Repository], object]] = {
    "edit": lambda r: r.write({"pkg/mod0.py": "import sys\n"}),
    "stage": lambda r: r.git("add", "-A"),
    "commit": lambda r: r.commit(),
    "new file": lambda r: r.write({"pkg/new.py": ""}),
    "intent to add": lambda r: (r.write({"pkg/later.py": "x"}), r.git("add", "-N", "pkg")),
    "remove": lambda r: r.git("rm", "-q", "--cached", "--ignore-unmatch", "pkg/mod1.py"),
    "rename": lambda r: (r.root / "pkg/mod2.py").exists() and r.commit({"pkg/n.py": "1"}),
    "assume unchanged": lambda r: r.git("update-index", "--assume-unchanged", "pkg/__init__.py"),
    "look again": lambda r: r.git("update-index", "--no-assume-unchanged", "pkg/__init__.py"),
    "skip": lambda r: r.git("update-index", "--skip-worktree", "pkg/mod3.py"),
    "no skip": lambda r: r.git("update-index", "--no-skip-worktree", "pkg/mod3.py"),
    "executable": lambda r: r.git("update-index", "--chmod=+x", "pkg/mod4.py"),
    "version 4": lambda r: r.git("update-index", "--index-version", "4"),
    "version 2": lambda r: r.git("update-index", "--index-version", "2"),
    "split": lambda r: r.git("update-index", "--split-index"),
    "whole": lambda r: r.git("update-index", "--no-split-index"),
    "refresh": lambda r: r.git("status"),
    "reset": lambda r: r.git("reset", "-q", "--hard"),
    "link": lambda r: (r.root / "link").is_symlink() or (r.root / "link").symlink_to("pkg"),
    "older": lambda r: os.utime(r.root / "pkg/mod4.py", (1, 1)),
}


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_it_is_what_git_would_say(
    project: Repository, state: StateDir, seed: int
) -> None:
    chance = random.Random(seed)
    for step in chance.sample(sorted(STEPS), 9):
        STEPS[step](project)
        expected = listed(project, None)
        assert listed(project, state) == expected, step
        assert listed(project, state) == expected, step


def test_a_sparse_checkout_is_asked_anew(
    project: Repository, state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.git("sparse-checkout", "set", "--no-cone", "/*", "!pkg/mod1.py")
    commands = asked(monkeypatch)
    first = listed(project, state)
    project.write({"pkg/mod1.py": "import here\n"})
    assert listed(project, state) == listed(project, None) != first
    assert commands.count("ls-files") == 3


@pytest.mark.parametrize(
    "words",
    [
        ("update-index", "--index-version", "4"),
        ("update-index", "--skip-worktree", "pkg/mod3.py"),
        ("-c", "index.skipHash=true", "update-index", "--force-write-index"),
    ],
)
def test_only_the_plainest_index_counts(project: Repository, words: tuple[str, ...]) -> None:
    index = Git(project.root).index
    assert index is not None
    assert index_id(index) is not None
    project.git(*words)
    if "index.skipHash=true" in words:  # not of every git
        index.write_bytes(index.read_bytes()[:-20] + bytes(20))
    assert index_id(index) is None


@pytest.mark.parametrize("content", [b"", b"DIRC", b"DIRC\0\0\0\2\0\0\0\1", b"x" * 99])
def test_what_is_no_index_has_no_id(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "index").write_bytes(content)
    assert index_id(tmp_path / "index") is None
    assert index_id(tmp_path / "absent") is None
    assert index_id(None) is None


def test_another_content_with_the_same_checksum_is_another_index(project: Repository) -> None:
    """Nobody writes such a thing, one hopes; then at least the time tells."""
    index = Git(project.root).index
    assert index is not None
    before = index_id(index)
    whole = bytearray(index.read_bytes())
    whole[80] ^= 1
    index.write_bytes(whole)
    os.utime(index, (1, 1))
    after = index_id(index)
    assert before is not None
    assert after is not None
    assert before.text != after.text


def test_a_split_index_is_not_kept(project: Repository, state: StateDir) -> None:
    project.git("update-index", "--split-index")
    listed(project, state)
    assert state.read(NAME) is None


def test_an_index_that_changes_while_git_lists_it_is_not_kept(
    project: Repository, state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Git.run

    def slow(self: Git, *arguments: str, stdin: bytes | None = None) -> bytes:
        said = run(self, *arguments, stdin=stdin)
        if arguments[0] == "ls-files":
            project.write({"meanwhile.py": ""})
            project.git("add", "meanwhile.py")
        return said

    monkeypatch.setattr(Git, "run", slow)
    listed(project, state)
    assert state.read(NAME) is None


def test_short_lists_are_not_kept(project: Repository) -> None:
    state = StateDir(project.root / ".git" / "ciopt")
    listed(project, state)
    assert state.read(NAME) is None


def test_damage_is_noticed(project: Repository, state: StateDir) -> None:
    expected = listed(project, state)
    whole = state.read(NAME)
    assert whole is not None
    chance = random.Random(1)
    for _ in range(100):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        assert state.write(NAME, bytes(damaged[: chance.randint(1, 2 * len(whole))])) is None
        assert listed(project, state) == expected


def test_who_cannot_write_lives_without(project: Repository, state: StateDir) -> None:
    state.path.write_text("no folder")
    assert listed(project, state) == listed(project, None)
