"""A version of what modules of ours compute: with it, what they have stored is outdated."""

import zlib
from pathlib import Path
from types import ModuleType

from pytest_ciopt import __version__


def version_of(form: str, *modules: ModuleType) -> str:
    """Of a stored form and of the text of the modules that decide what goes into it."""
    text = 0
    for module in modules:
        try:
            text = zlib.crc32(Path(str(module.__file__)).read_bytes(), text)
        except OSError:  # in an archive: there is nothing but the release to go by
            return f"{form}-{__version__}"
    return f"{form}-{__version__}-{text:08x}"
