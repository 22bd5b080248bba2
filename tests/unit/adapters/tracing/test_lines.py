"""What Python keeps of sources looks out of date afterwards; and an error of ours is nobody's."""

import linecache
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_ciopt.adapters.tracing import lines
from pytest_ciopt.adapters.tracing.stretch import Stretch
from pytest_ciopt.adapters.tracing.tracer import Tracer, can_trace


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[str]:
    """A source whose lines are kept, beside some that are of no file."""
    path = tmp_path / "shop.py"
    path.write_text("one = 1\n")
    linecache.getlines(str(path))
    linecache.cache["made.py"] = 1, None, ["made\n"], str(path)
    yield str(path)
    linecache.cache.pop(str(path), None)
    linecache.cache.pop("made.py", None)


def test_lines_of_files_are_read_again(kept: str) -> None:
    lines.let_age(kept.__eq__)
    assert linecache.getlines(kept) == ["one = 1\n"]
    linecache.checkcache()
    assert kept not in linecache.cache
    assert linecache.getlines("made.py") == ["made\n"]


def test_lines_of_others_stay(kept: str) -> None:
    lines.let_age(lambda file: False)
    linecache.checkcache(kept)
    assert kept in linecache.cache


@pytest.mark.skipif(not can_trace(), reason="what runs cannot be watched here")
def test_an_error_of_ours_does_not_come_up(
    kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracer = Tracer(str(tmp_path))
    if not tracer.start():
        pytest.skip("another profiler is there")
    try:
        linecache.updatecache(kept)
        monkeypatch.setattr(linecache, "cache", None)
        tracer.enter(Stretch())
        assert (tracer.problem or "").startswith("AttributeError")
    finally:
        tracer.stop()
        monkeypatch.undo()
