"""Whatever may compute otherwise than before is another version."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_ciopt import core
from pytest_ciopt.adapters import codeversion
from pytest_ciopt.adapters.codeversion import version_of


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of our modules, in place of them."""
    place = tmp_path / "core"
    shutil.copytree(core.__path__[0], place, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(core, "__path__", [str(place)])
    return place


@pytest.fixture(autouse=True)
def _forgetting() -> Iterator[None]:
    """Others go by the version of the modules that there really are."""
    yield
    codeversion._text.cache_clear()


def version() -> str:
    """As a new process finds it."""
    codeversion._text.cache_clear()
    return version_of("1")


def test_a_form_is_a_part_of_it() -> None:
    assert version_of("1") != version_of("2")
    assert version_of("1") == version_of("1")


def test_the_same_modules_elsewhere_are_the_same_version(copy: Path) -> None:
    here = version()
    (copy / "graph" / "__pycache__").mkdir()
    (copy / "graph" / "__pycache__" / "index.cpython-313.pyc").write_bytes(b"compiled")
    assert version() == here


@pytest.mark.parametrize("name", ["django.py", "edits/annotations.py", "graph/index.py"])
def test_another_text_of_a_module_is_another_version(copy: Path, name: str) -> None:
    before = version()
    (copy / name).write_text((copy / name).read_text() + "\nMORE = 1\n")
    assert version() != before


def test_what_cannot_be_read_leaves_the_release_to_go_by(copy: Path) -> None:
    before = version()
    shutil.rmtree(copy)
    assert version() != before
    assert version().startswith("1-")
