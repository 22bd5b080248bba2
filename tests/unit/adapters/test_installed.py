"""What is installed, read from the names of folders."""

import json
from pathlib import Path

import pytest

from pytest_ciopt.adapters.installed import installed


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "site-packages"
    made.mkdir()
    monkeypatch.setattr("sys.path", [str(made), str(tmp_path / "gone"), "archive.zip"])
    return made


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


def add(library: Path, name: str, origin: str | None = None) -> None:
    (library / f"{name}.dist-info").mkdir()
    if origin is not None:
        (library / f"{name}.dist-info" / "direct_url.json").write_text(origin)


def test_names_and_versions(library: Path, project: Path) -> None:
    add(library, "one-1.0")
    (library / "two-2.egg-info").touch()
    (library / "three").mkdir()
    add(library, "pip-26.0")
    assert installed(project) == {"one-1.0": "", "two-2": ""}


def test_where_a_distribution_came_from(library: Path, project: Path) -> None:
    add(library, "one-1.0", '{"url": "https://example.com/one", "vcs_info": {"commit_id": "a"}}')
    assert "commit_id" in installed(project)["one-1.0"]


def test_the_version_of_the_project_itself_does_not_count(library: Path, project: Path) -> None:
    """Tools that make it from commits give each another one."""
    origin = {"url": project.resolve().as_uri(), "dir_info": {"editable": True}}
    add(library, "own-1.0.dev7", json.dumps(origin))
    assert installed(project) == {"own": ""}


def test_a_file_that_lies_in_the_project_is_none_of_its_sources(
    library: Path, project: Path
) -> None:
    origin = {"url": f"{project.resolve().as_uri()}/artifacts/a-1.whl", "archive_info": {}}
    add(library, "a-1.0", json.dumps(origin))
    beside = {"url": f"{project.resolve().as_uri()}-library", "dir_info": {}}
    add(library, "b-1.0", json.dumps(beside))
    assert set(installed(project)) == {"a-1.0", "b-1.0"}


def test_folders_of_the_project(
    library: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = project / ".venv/lib/site-packages"
    inside.mkdir(parents=True)
    add(inside, "one-1.0")
    add(project, "own-2.0")
    monkeypatch.setattr("sys.path", [str(inside), str(project), ""])
    assert installed(project) == {"one-1.0": ""}
