"""A version of what we compute: with it, what was stored of it is outdated."""

import os
import zlib
from functools import cache

from pytest_ciopt import __version__, core


def version_of(form: str) -> str:
    """Of a stored form, and of the text of all modules that may decide what goes into it."""
    return f"{form}-{__version__}-{_text():08x}"


@cache
def _text() -> int:
    """Of everything below `core`, where whatever we compute comes from.

    Nothing where the modules cannot be read, as in an archive: there is but the release to go by.
    """
    found = 0
    for folder, folders, files in os.walk(core.__path__[0]):
        folders.sort()
        for name in sorted(files):
            if name.endswith(".py"):
                try:
                    with open(os.path.join(folder, name), "rb", buffering=0) as file:
                        found = zlib.crc32(file.read(), found)
                except OSError:
                    return 0
    return found
