"""What is installed beside the project, by the names of folders: quick enough for any run."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

_ENDINGS = (".dist-info", ".egg-info")
_ORIGIN = "direct_url.json"
"""Where a distribution came from, if not from an index (PEP 610)."""


def installed(top: Path) -> dict[str, str]:
    """Distributions with their versions, and where they came from if not from an index.

    Of what was built from folders of the project, which lies in `top`, the version is left out: it
    may be another for each commit, and the change says what is new in it. pip is left out, whose
    version is that of the machine and no matter of a test.
    """
    top = top.resolve()
    entries = map(str, sys.path)  # others put anything there
    folders = dict.fromkeys(Path(entry).resolve() for entry in entries)
    return dict(one for folder in folders if _is_outside(folder, top) for one in _in(folder, top))


def _is_outside(folder: Path, top: Path) -> bool:
    """Whether it is no part of the project; an environment that lies there is none."""
    return not folder.is_relative_to(top) or "site-packages" in folder.parts


def _in(folder: Path, top: Path) -> Iterator[tuple[str, str]]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:  # an archive, or none at all
        return
    for name in names:
        stem, ending = os.path.splitext(name)
        bare = stem.partition("-")[0]
        if ending in _ENDINGS and bare != "pip":
            origin = _origin(folder / name)
            yield (bare, "") if _is_folder_in(top, origin) else (stem, origin)


def _is_folder_in(top: Path, origin: str) -> bool:
    """Whether a distribution was built of sources of the project, and not of a file that only lies
    there."""
    try:
        told = json.loads(origin or "{}")
        url = str(told.get("url", ""))
    except (ValueError, AttributeError, RecursionError):
        return False
    return "dir_info" in told and f"{url}/".startswith(f"{top.as_uri()}/")


def _origin(folder: Path) -> str:
    try:
        return (folder / _ORIGIN).read_text("utf-8", "replace")
    except OSError:
        return ""
