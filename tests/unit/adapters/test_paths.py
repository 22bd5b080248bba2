"""Names of folders that are not to be told."""

import os
from pathlib import Path

import pytest

from pytest_ciopt.adapters.paths import homes


def test_homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By both names where a symlink leads there; a variable may say what is no folder."""
    (tmp_path / "ann").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "ann")
    monkeypatch.setenv("HOME", str(tmp_path / "link"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "link"))
    assert {str(tmp_path / "link"), str(tmp_path / "ann")} <= set(homes())
    monkeypatch.setenv("HOME", "ann")
    monkeypatch.setenv("USERPROFILE", "ann")
    assert all(map(os.path.isabs, homes()))
