"""What is installed beside the project, by the names of folders: quick enough for any run."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

_ENDINGS = (".dist-info", ".egg-info")
_ORIGIN = "direct_url.json"
"""Where a distribution came from, if not from an index (PEP 610)."""


def installed(top: Path) -> set[str]:
    """Distributions with their versions, and with where they came from if not from an index.

    Of the project itself, which lies in `top`, the version is left out: it may be another for each
    commit, and the change says what is new in it.
    """
    top = top.resolve()
    folders = {Path(entry).resolve() for entry in sys.path}
    return {name for folder in folders if _is_outside(folder, top) for name in _in(folder, top)}


def _is_outside(folder: Path, top: Path) -> bool:
    """Whether it is no part of the project; an environment that lies there is none."""
    return not folder.is_relative_to(top) or "site-packages" in folder.parts


def _in(folder: Path, top: Path) -> Iterator[str]:
    try:
        names = os.listdir(folder)
    except OSError:  # an archive, or none at all
        return
    for name in names:
        stem, ending = os.path.splitext(name)
        if ending in _ENDINGS:
            origin = _origin(folder / name)
            yield stem.partition("-")[0] if top.as_uri() in origin else f"{stem} {origin}"


def _origin(folder: Path) -> str:
    try:
        return (folder / _ORIGIN).read_text("utf-8", "replace")
    except OSError:
        return ""
