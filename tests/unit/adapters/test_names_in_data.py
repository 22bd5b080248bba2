"""What data names is found in the working tree, whatever is remembered."""

from pathlib import Path

import pytest

from pytest_ciopt.adapters import data_names, sources
from pytest_ciopt.adapters.data_names import NAME, find
from pytest_ciopt.adapters.git import Git
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.adapters.worktree import Worktree
from repository import Repository, repository

FILES = {
    "shop/__init__.py": "",
    "shop/pets.py": "",
    "shop/api.yaml": "id: shop.pets.search\n",
    "shop/other.json": '{"name": "nothing"}',
    "readme.txt": "shop.pets",
    ".gitignore": ".env\n.ciopt\n",
}
Found = dict[str, tuple[str, ...]]


@pytest.fixture
def made(tmp_path: Path) -> Repository:
    return repository(tmp_path / "repository", FILES)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths of the files that are read."""
    found: list[str] = []
    real = data_names._read

    def reading(top: Path, path: str, *more: object) -> object:
        found.append(path)
        return real(top, path, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(data_names, "_read", reading)
    monkeypatch.setattr(sources, "_TICK", -(10**12))  # what was just written counts as old
    return found


def ask(made: Repository) -> Found:
    state = StateDir(made.root / ".ciopt")
    listing = Worktree(Git(made.root), state).listing()
    files = sorted(p.relative_to(made.root).as_posix() for p in made.root.rglob("*.py"))
    return {one.path: one.names for one in find(made.root, listing, state, files)}


API: Found = {"shop/api.yaml": ("shop.pets.search",)}


def test_nothing_is_read_twice(made: Repository, read: list[str]) -> None:
    assert ask(made) == API
    assert sorted(read) == ["shop/api.yaml", "shop/other.json"]
    read.clear()
    assert ask(made) == API
    assert read == []


def test_an_edit_is_seen_and_so_is_its_end(made: Repository, read: list[str]) -> None:
    for _ in range(2):
        made.write({"shop/api.yaml": "id: shop.toys\n"})
        assert ask(made) == {"shop/api.yaml": ("shop.toys",)}
        made.write({"shop/api.yaml": FILES["shop/api.yaml"]})
        assert ask(made) == API


def test_of_another_commit_only_what_differs_is_read(made: Repository, read: list[str]) -> None:
    ask(made)
    read.clear()
    made.commit({"shop/other.json": '["shop.pets"]', "shop/new.toml": "a = 'shop.pets'\n"})
    assert ask(made) == {**API, "shop/other.json": ("shop.pets",), "shop/new.toml": ("shop.pets",)}
    assert sorted(read) == ["shop/new.toml", "shop/other.json"]
    (made.root / "shop/api.yaml").unlink()
    made.commit()
    assert ask(made).keys() == {"shop/other.json", "shop/new.toml"}


def test_with_another_package_names_mean_something_else(made: Repository) -> None:
    made.commit({"shop/other.json": '["money.bank"]'})
    assert ask(made) == API
    made.commit({"money/__init__.py": ""})
    assert ask(made) == {**API, "shop/other.json": ("money.bank",)}


def test_a_package_that_git_does_not_know_yet(made: Repository, read: list[str]) -> None:
    made.commit({"shop/other.json": '["money.bank"]'})
    assert ask(made) == API
    made.write({"money/__init__.py": ""})
    for _ in range(2):
        assert ask(made) == {**API, "shop/other.json": ("money.bank",)}
    read.clear()
    made.write({"money/more.py": ""})
    assert ask(made).keys() == {"shop/api.yaml", "shop/other.json"}
    assert read == [], "names begin as before"


def test_new_files_and_the_local_environment_count(made: Repository) -> None:
    made.write({"new.ini": "[a]\nb = shop.pets\n", ".env": "SETTINGS=shop.pets\n"})
    assert ask(made) == {**API, "new.ini": ("shop.pets",), ".env": ("shop.pets",)}


@pytest.mark.parametrize("name", ["line\nfeed.ini", "caf\udce9.ini", "tab\t.ini", "with space.ini"])
def test_whatever_a_file_is_called(made: Repository, read: list[str], name: str) -> None:
    made.commit({name: "a = shop.pets.one\nb = shop.pets.two\n"})
    expected = {**API, name: ("shop.pets.one", "shop.pets.two")}
    for _ in range(2):
        assert ask(made) == expected
    assert read.count(name) == 1


@pytest.mark.parametrize("content", [b"", b"garbage", b"1\ta\n"])
def test_damage_is_repaired(made: Repository, content: bytes) -> None:
    ask(made)
    place = made.root / ".ciopt" / NAME
    place.write_bytes(content)
    assert ask(made) == API
    assert place.read_bytes() != content


def test_what_was_written_while_git_was_asked_is_read_again(
    made: Repository, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_TICK", 10**12)
    assert ask(made) == API
    read.clear()
    assert ask(made) == API
    assert sorted(read) == ["shop/api.yaml", "shop/other.json"]


def test_a_file_that_cannot_be_read_names_nothing(made: Repository) -> None:
    (made.root / "shop/api.yaml").unlink()
    assert ask(made) == {}
    (made.root / "shop/api.yaml").mkdir()
    assert ask(made) == {}
