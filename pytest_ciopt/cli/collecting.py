"""Collects with pytest in a process of its own, and reads the decisions that it writes."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ciopt.errors import CioptError

_FINE = (0, 5)
"""pytest's exit codes of a collection: fine, and nothing collected."""


@dataclass(frozen=True, slots=True)
class ToldTest:
    """A decision on a test, as `--ciopt-json` tells it."""

    id: str
    path: str | None
    """Relative to the top of the repository, None outside."""
    selected: bool
    reason: str


def collected(folder: Path, base: str | None, arguments: Sequence[str]) -> tuple[ToldTest, ...]:
    """Runs `pytest --collect-only --ciopt-changed` in `folder`.

    Raises: CioptError when pytest is missing or cannot collect.
    """
    with tempfile.TemporaryDirectory(prefix="ciopt-") as temporary:
        place = Path(temporary) / "decisions.json"
        flag = f"--ciopt-changed={base}" if base is not None else "--ciopt-changed"
        pytest = (sys.executable, "-m", "pytest", "-p", "ciopt", "--collect-only", "-q")
        command = (*pytest, flag, *arguments)
        done = subprocess.run(
            (*command, f"--ciopt-json={place}"), cwd=folder, capture_output=True, text=True
        )
        if done.returncode not in _FINE or not place.exists():
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise CioptError(
                f"pytest cannot collect (exit code {done.returncode}): " + "\n  ".join(said[-8:])
            )
        return _told(json.loads(place.read_text(encoding="ascii")))


def _told(document: dict[str, Any]) -> tuple[ToldTest, ...]:
    return tuple(
        ToldTest(test["id"], test["path"], test["selected"], test["reason"])
        for test in document["tests"]
    )
