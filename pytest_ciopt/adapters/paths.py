"""Paths as git has them."""

import os
from pathlib import Path


def root_of(folder: str | Path, top: str | Path) -> str:
    """What ids of tests begin with at the top of the repository; "" there, and outside."""
    place = place_of(folder, top)
    return "" if place in (None, ".") else str(place)


def place_of(path: str | Path, top: str | Path) -> str | None:
    """Repository-relative POSIX path, None outside. A symlink keeps its own name."""
    folder, name = os.path.split(path)
    real, base = os.path.join(os.path.realpath(folder), name), os.path.realpath(top)
    if real == base or os.path.realpath(path) == base:
        return "."
    inside = real.startswith(base + os.sep)
    return os.path.relpath(real, base).replace(os.sep, "/") if inside else None
