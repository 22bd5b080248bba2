"""What a decision leaves behind."""

import gc
from pathlib import Path

import pytest

from pytest_ciopt.core.testfiles import Discovery
from pytest_ciopt.settings import Settings
from pytest_ciopt.usecases.decide import decide


@pytest.mark.parametrize("collects", [True, False])
def test_garbage_is_collected_as_before(tmp_path: Path, collects: bool) -> None:
    """A decision does without; here it ends early, for there is no repository."""
    before = gc.isenabled()
    try:
        (gc.enable if collects else gc.disable)()
        decided = decide(tmp_path, Settings(), Discovery())
        assert gc.isenabled() is collects
    finally:
        (gc.enable if before else gc.disable)()
    assert decided.selection.everything is not None
