"""Plans in files: those that were made on purpose, and those kept for the shards of one machine."""

import contextlib
import os
from pathlib import Path

from pytest_ciopt.adapters.statedir import StateDir, forget_older, replace_whole
from pytest_ciopt.core.plan.document import PlanError, decoded, encoded
from pytest_ciopt.core.plan.plan import Plan

FOLDER = "plans"
_KEPT = 7 * 86_400
"""Seconds that a plan stays: the other shards of the work, or the same once more, may want it."""
_LARGEST = 500_000_000
"""Bytes of a plan that is read."""


def read(path: Path) -> Plan:
    """Raises: PlanError, OSError."""
    if path.stat().st_size > _LARGEST:
        raise PlanError("it is too large")
    try:
        return decoded(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise PlanError("it is no text") from None


def write(path: Path, plan: Plan) -> None:
    """Raises: OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_whole(path, encoded(plan).encode("ascii"))


def kept(state: StateDir, key: str) -> Plan | None:
    """The plan of this key; None when there is none, or it cannot be read."""
    try:
        return read(_place(state, key))
    except (PlanError, OSError):
        return None


def keep(state: StateDir, key: str, plan: Plan) -> Plan:
    """Keeps a plan, unless another process has just done so: the one that is kept is returned.

    Raises: OSError.
    """
    place = _place(state, key)
    state.make(place.parent)
    fresh = place.with_name(f"{place.name}.{os.urandom(6).hex()}")
    try:
        fresh.write_bytes(encoded(plan).encode("ascii"))
        with contextlib.suppress(FileExistsError):
            os.link(fresh, place)
    finally:
        fresh.unlink(missing_ok=True)
    made = kept(state, key)
    if made is None:  # a damaged one lies there
        write(place, plan)
        made = plan
    forget_older(place, _KEPT)
    return made


def _place(state: StateDir, key: str) -> Path:
    return state.path / FOLDER / f"{key}.json"
