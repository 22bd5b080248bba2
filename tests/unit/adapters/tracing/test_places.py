import os
from pathlib import Path

import pytest

from pytest_ciopt.adapters.tracing.places import Places


@pytest.fixture
def top(tmp_path: Path) -> Path:
    (tmp_path / "top/pkg").mkdir(parents=True)
    return tmp_path / "top"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("a.py", "a.py"),
        ("pkg/a.py", "pkg/a.py"),
        ("pkg/../b.py", "b.py"),
        ("", ""),
        ("../beside.py", None),
        ("pkg/../../beside.py", None),
        (".git/HEAD", None),
        ("sub/.git", None),
        (".ciopt/segments/x", None),
        ("pkg/__pycache__/a.pyc", None),
        ("env/lib/python3.12/site-packages/x.py", None),
        ("site-packages.py", "site-packages.py"),
    ],
)
def test_where_a_path_lies(top: Path, path: str, place: str | None) -> None:
    assert Places(str(top)).find(os.path.join(top, path)) == place


def test_neighbours_with_the_same_beginning_are_outside(top: Path) -> None:
    assert Places(str(top)).find(f"{top}-other/a.py") is None


def test_relative_paths(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = Places(str(top))
    monkeypatch.chdir(top / "pkg")
    assert places.find("a.py") == "pkg/a.py"
    assert places.find(".") == "pkg"
    assert places.find("..") == ""
    monkeypatch.chdir(top.parent)
    assert places.find("a.py") is None


@pytest.mark.parametrize("sign", ["pyvenv.cfg", "conda-meta"])
def test_environments(top: Path, sign: str) -> None:
    (top / "env/lib").mkdir(parents=True)
    (top / "env" / sign).touch()
    assert Places(str(top)).find(str(top / "env/lib/a.py")) is None
    assert Places(str(top / "env")).find(str(top / "env/lib/a.py")) == "lib/a.py"


def test_both_spellings_of_a_top_that_is_a_link(top: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(top)
    for known in (top, link):
        places = Places(str(link))
        assert places.find(str(known / "a.py")) == "a.py"


def test_a_link_keeps_its_own_name(top: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (top / "linked").symlink_to(tmp_path / "elsewhere")
    places = Places(str(top))
    assert places.find(str(top / "linked/a.py")) == "linked/a.py"
    assert places.find(str(tmp_path / "elsewhere/a.py")) is None
