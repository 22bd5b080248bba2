"""Collects with pytest in a process of its own, and reads the decisions that it writes."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_ciopt.adapters.environment import environ
from pytest_ciopt.core.selection import NOT_ASKED
from pytest_ciopt.errors import CioptError

FLAG = "--ciopt-changed"
_OF_A_SHARD = ("CIOPT_SHARD", "CIOPT_PLAN")
_ALL = "--ciopt-shard=1/1"
"""Whatever shard configuration or environment may say."""
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
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """What pytest collects."""

    tests: tuple[ToldTest, ...]
    base: str | None
    """The commit that the selection compared with, None without one or where everything runs."""
    unread: tuple[str, ...] = ()
    """Files of which the selection left out everything."""
    proving: frozenset[str] = frozenset()
    """Runs whose records prove what the selection left out."""
    fixtures: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Paths of the modules that use a fixture of wider scope, by its id."""
    root: str = ""
    """pytest's rootdir, from the top of the repository."""
    told: tuple[str, ...] = ()
    """Why a selection that was asked for chose all tests."""


def collected(folder: Path, base: str | None, arguments: Sequence[str]) -> tuple[ToldTest, ...]:
    """What `pytest --ciopt-changed` decides on all tests. Raises: CioptError."""
    flag = FLAG if base is None else f"{FLAG}={base}"
    return collect(folder, [flag, *arguments]).tests


def collect(folder: Path, arguments: Sequence[str]) -> Collection:
    """Runs `pytest --collect-only` in `folder`.

    Raises: CioptError when pytest is missing or cannot collect.
    """
    with tempfile.TemporaryDirectory(prefix="ciopt-") as temporary:
        place = Path(temporary) / "decisions.json"
        pytest = (sys.executable, "-m", "pytest", "-p", "ciopt", "--color=no")
        command = (*pytest, "--collect-only", "-q", *arguments)
        whole = {name: value for name, value in environ().items() if name not in _OF_A_SHARD}
        done = subprocess.run(
            (*command, f"--ciopt-json={place}", _ALL),
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=whole,
        )
        if done.returncode not in _FINE or not place.exists():
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise CioptError(
                f"pytest cannot collect (exit code {done.returncode}): " + "\n  ".join(said[-8:])
            )
        document = json.loads(place.read_text(encoding="ascii"))
        everything = document["everything"]
        told = () if everything in (None, NOT_ASKED) else (document["header"],)
        base = None if everything is not None else document["base"]
        modules = (module["path"] for module in document["dropped_modules"])
        unread = tuple(sorted({*modules, *document["dropped_files"]}))
        commit = None if base is None else base["commit"]
        fixtures, root = document["fixtures"], document["root"]
        proving = frozenset(document["proving_runs"])
        return Collection(_told(document), commit, unread, proving, fixtures, root, told)


def _told(document: dict[str, Any]) -> tuple[ToldTest, ...]:
    return tuple(
        ToldTest(test["id"], test["path"], test["selected"], test["reason"], test.get("group"))
        for test in document["tests"]
    )
