"""Keeps the traceback of an error of our own where a person can find and paste it."""

import platform
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

from pytest_ciopt import __version__
from pytest_ciopt.adapters.statedir import StateDir

NAME = "logs/crash.log"


def write(error: BaseException, state: StateDir | None) -> str:
    """The path of the log, in `.ciopt/` or, where that can't be written, a temporary folder.

    It holds versions and the traceback: no environment, no command line, no content of files.
    """
    lines = [
        f"pytest-ciopt {__version__}, {platform.python_implementation()} "
        f"{platform.python_version()}, {platform.system()} {platform.release()}",
        datetime.now(UTC).isoformat(timespec="seconds"),
        "",
        *traceback.format_exception(error),
    ]
    content = "\n".join(lines).encode("utf-8", "backslashreplace")
    if state is not None and state.write(NAME, content) is None:
        return str(state.path / NAME)
    try:
        with tempfile.NamedTemporaryFile(prefix="ciopt-", suffix=".log", delete=False) as stream:
            stream.write(content)
            return str(Path(stream.name))
    except OSError:
        return "nowhere: no folder can be written to"
