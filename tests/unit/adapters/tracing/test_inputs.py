import importlib.util
import os
import sys
import time
from hashlib import sha1
from pathlib import Path
from types import ModuleType

import pytest

from pytest_ciopt.adapters.tracing import inputs
from pytest_ciopt.adapters.tracing.places import Places

LATER = 1 << 62


def test_content_ids_are_those_of_git(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"hello\n")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    found = inputs.content_ids(str(tmp_path), {"none", "a.txt", "folder", "pipe", "a.txt/b"}, LATER)
    assert found == {
        "a.txt": "ce013625030ba8dba906f756967f9e9ca394464a",  # git hash-object
        "a.txt/b": "absent",
        "none": "absent",
    }
    assert list(found) == sorted(found)


@pytest.mark.parametrize("edited", [False, True])
def test_files_that_changed_since(tmp_path: Path, edited: bool) -> None:
    path = tmp_path / "a.txt"
    path.touch()
    old = path.stat()
    while (since := time.time_ns()) <= old.st_ctime_ns + 20_000_000:
        time.sleep(0.005)
    time.sleep(0.02)  # the clock of files is a coarser one
    if edited:
        path.write_text("x")
        os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))  # as editors of archives do
    (found,) = inputs.content_ids(str(tmp_path), ["a.txt"], since).values()
    assert (found == "changed") == edited


def test_listings(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("é", "b", "c.pyc"):
        (tmp_path / "a" / name).touch()
    (tmp_path / "a/__pycache__").mkdir()
    found = inputs.listing_ids(str(tmp_path), ["a", "", "none"])
    assert list(found) == ["", "a", "none"]
    assert found["a"] == sha1("b\0é".encode()).hexdigest()
    assert found[""] == sha1(b"a").hexdigest()
    assert found["none"] == "absent"


def test_distributions(tmp_path: Path) -> None:
    for name in ("site-packages", "dist-packages", "other"):
        for inside in (f"{name}-1.0.dist-info", "pytest_ciopt-0.1.dist-info", "module"):
            (tmp_path / name / inside).mkdir(parents=True)
    (tmp_path / "site-packages/old-2.egg-info").touch()
    path = [str(folder) for folder in tmp_path.iterdir()] + [str(tmp_path / "none/site-packages")]
    expected = ("dist-packages-1.0", "old-2", "site-packages-1.0")
    assert inputs.distributions(path) == expected


def test_sources_that_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lazy modules are not loaded by the question, and strange ones do no harm."""
    (tmp_path / "lazy.py").write_text("raise RuntimeError('loaded')")
    spec = importlib.util.spec_from_file_location("lazy", tmp_path / "lazy.py")
    assert spec is not None
    assert spec.loader is not None
    lazy = importlib.util.module_from_spec(spec)
    importlib.util.LazyLoader(spec.loader).exec_module(lazy)
    plain = ModuleType("plain")
    plain.__file__ = str(tmp_path / "plain.py")
    modules = {"lazy": lazy, "plain": plain, "none": None, "odd": object()}
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    assert inputs.loaded_sources(Places(str(tmp_path))) == {"lazy.py", "plain.py"}


@pytest.mark.parametrize("root", ["", "src"])
def test_packages_that_hide_those_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    for folder in (tmp_path / "top" / root / "shadow", tmp_path / "site/shadow"):
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
    module = ModuleType("shadow")
    monkeypatch.setitem(sys.modules, "shadow", module)
    places = Places(str(tmp_path / "top"))
    module.__file__ = str(tmp_path / "top" / root / "shadow/__init__.py")
    assert inputs.shadowed(places) is None
    module.__file__ = str(tmp_path / "site/shadow/__init__.py")
    assert inputs.shadowed(places) == "shadow"


def test_parts() -> None:
    whole = {str(n): "" for n in range(5)}
    parts = list(inputs.split(whole, 2))
    assert [len(part) for part in parts] == [2, 2, 1]
    assert {key for part in parts for key in part} == set(whole)
    assert list(inputs.split({}, 2)) == []


def test_an_archive_may_come_where_modules_are_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "more.zip"
    before = inputs.packages_id(str(path))
    path.write_bytes(b"one")
    after = inputs.packages_id(str(path))
    path.write_bytes(b"another")
    assert len({before, after, inputs.packages_id(str(path))}) == 3
