"""Who asks for lines of a source.

Python's `linecache` opens a file once and keeps its lines, so it is not enough to hear of files
that are opened. Hearing of all that ask it for lines costs too much: in its debug mode asyncio
shows a stack for each future.
"""

import inspect
import linecache
import os
import tokenize
import traceback
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType

FINDING: CodeType | None = getattr(inspect.findsource, "__code__", None)
"""What looks for the source of an object; it is heard of each time that it starts."""
_OLD = -1.0
"""A time at which no file was changed."""
_KEEPING = {linecache.__file__, tokenize.__file__}
_PATHS = {method.__code__.co_filename for method in (Path.open, Path.read_bytes)}
_BETWEEN = {*_KEEPING, *_PATHS, inspect.__file__, traceback.__file__}
"""They ask for somebody else."""
_WARNING = (f"{os.sep}warnings.py", f"{os.sep}_py_warnings.py")
"""They show the line that runs, and ask for no stack."""
_DRAWING = os.path.join(os.sep, "hypothesis", "internal", "")
"""Here sources decide which examples are drawn, not what becomes of them."""


def let_age(is_ours: Callable[[str], bool]) -> None:
    """Has lines of files (`is_ours`, by names) look out of date where they are kept: `inspect` and
    `traceback` open those again, and are heard. What is not of a file stays."""
    for name, entry in list(linecache.cache.items()):
        match entry:
            case (size, float(), lines, str(file)) if is_ours(file):
                linecache.cache[name] = size, _OLD, lines, file


def are_for_show(frame: FrameType) -> bool:
    """Whether a file is opened where mostly tracebacks ask for it."""
    return frame.f_code.co_filename in _KEEPING


def asker(frame: FrameType, is_ours: Callable[[str], bool]) -> FrameType | None:
    """Who wants the lines, or the whole source. Nobody, where others than code of the project
    (`is_ours`, by file names) show lines of a stack or a traceback: what these say is known from
    the code that runs.
    """
    asking: FrameType | None = frame
    of_stack = False
    while asking is not None and (file := asking.f_code.co_filename) in _BETWEEN:
        of_stack |= file == traceback.__file__ or asking.f_code.co_name == "getframeinfo"
        asking = asking.f_back
    if asking is None or is_ours(file):
        return asking
    return None if of_stack or file.endswith(_WARNING) or _DRAWING in file else asking
