"""Who asks for lines of a source, and of which.

Python's `linecache` opens a file once and keeps its lines, so it is not enough to hear of files
that are opened.
"""

import inspect
import linecache
import os
import tokenize
import traceback
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType

HANDING_OUT: CodeType | None = getattr(linecache.getlines, "__code__", None)
"""What all others in `linecache` ask for lines; it is heard of each time that it starts."""
_KEEPING = {linecache.__file__, tokenize.__file__}
_PATHS = {method.__code__.co_filename for method in (Path.open, Path.read_bytes)}
_BETWEEN = {*_KEEPING, *_PATHS, inspect.__file__, traceback.__file__}
"""They ask for somebody else."""
_WARNING = (f"{os.sep}warnings.py", f"{os.sep}_py_warnings.py")
"""They show the line that runs, and ask for no stack."""
_DRAWING = os.path.join("", "hypothesis", "internal", "")
"""Here sources decide which examples are drawn, not what becomes of them."""


def file_kept(frame: FrameType) -> str | None:
    """The file that was opened for the lines that are asked for, if they have been kept: otherwise
    it is opened now, or there is none."""
    kept = linecache.cache.get(frame.f_locals.get("filename", ""))
    opened = kept[-1] if kept else None
    return opened if isinstance(opened, str) else None


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
