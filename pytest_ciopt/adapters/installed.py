"""What is installed beside the project, by the names of folders: quick enough for any run."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

_ENDINGS = (".dist-info", ".egg-info")
_ORIGIN = "direct_url.json"
"""Where a distribution came from, if not from an index (PEP 610)."""


def installed(top: Path) -> dict[str, str]:
    """Distributions with their versions, and where they came from if not from an index.

    Of the project itself, which lies in `top`, the version is left out: it may be another for each
    commit, and the change says what is new in it. So is pip, whose version is that of the machine
    and no matter of a test.
    """
    top = top.resolve()
    folders = {Path(entry).resolve() for entry in sys.path}
    return dict(one for folder in folders if _is_outside(folder, top) for one in _in(folder, top))


def _is_outside(folder: Path, top: Path) -> bool:
    """Whether it is no part of the project; an environment that lies there is none."""
    return not folder.is_relative_to(top) or "site-packages" in folder.parts


def _in(folder: Path, top: Path) -> Iterator[tuple[str, str]]:
    try:
        names = os.listdir(folder)
    except OSError:  # an archive, or none at all
        return
    for name in names:
        stem, ending = os.path.splitext(name)
        bare = stem.partition("-")[0]
        if ending in _ENDINGS and bare != "pip":
            origin = _origin(folder / name)
            yield (bare, "") if top.as_uri() in origin else (stem, origin)


def _origin(folder: Path) -> str:
    try:
        return (folder / _ORIGIN).read_text("utf-8", "replace")
    except OSError:
        return ""
