"""What is kept of the words of a failure: one line, and nothing of where a person keeps files."""

import re
from collections.abc import Iterable, Sequence

from pytest_ciopt.core.history.encoding import shortened

_MARK = re.compile(r"E(?= |$)")
"""How pytest begins lines on the error itself, among those of a traceback."""
_TRACEBACK = "Traceback (most recent call last):"
_DOCTEST = re.compile(r".*:\d+: (?:DocTestFailure|UnexpectedException)")
"""The last line on a doctest."""
_RAISED = "UNEXPECTED EXCEPTION: "
_DIFFERS = re.compile(r"Expected:|Expected nothing|Got:|Got nothing|Differences ")
_OWNER = re.compile(r"(?<=pytest-of-)[^\s/\\'\"]+")
"""A user, in the paths that the fixture `tmp_path` gives."""


def first_line(text: str) -> str:
    """The line that tells what failed, in a text of pytest's or of a plugin's; "" if there is none.

    Not always the first one: tracebacks go before it, and doctests show their source.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return ""
    if _DOCTEST.fullmatch(lines[-1]):
        return _of_doctest(lines[:-1])
    if marked := _last_marked(lines):
        return min(marked, key=_indentation).strip()
    if _TRACEBACK in lines:
        return lines[-1].strip()
    return _whole(lines)


def _of_doctest(lines: Sequence[str]) -> str:
    """What was raised, or what was expected and what came."""
    raised = [line.removeprefix(_RAISED) for line in lines if line.startswith(_RAISED)]
    differ = [_whole(lines[n:]) for n, line in enumerate(lines) if _DIFFERS.match(line)]
    return ", ".join(raised[:1] or differ[:2] or lines[-1:]).strip()


def _last_marked(lines: Iterable[str]) -> Sequence[str]:
    """The last of the blocks of marked lines, without the mark: of exceptions that were raised
    while others were handled, the last one was not."""
    found: list[str] = []
    inside = False
    for line in lines:
        if mark := _MARK.match(line):
            found = [*(found if inside else ()), line[mark.end() :]]
        inside = mark is not None
    return [line for line in found if line.strip()]


def _indentation(line: str) -> int:
    """Lines of source go before a syntax error, further to the right."""
    return len(line) - len(line.lstrip())


def _whole(lines: Sequence[str]) -> str:
    """The first one, with what follows upon a colon."""
    end = next((n for n, line in enumerate(lines) if not line.endswith(":")), len(lines) - 1)
    return " ".join(line.strip() for line in lines[: end + 1])


class Folders:
    """Folders that are not kept: pytest's rootdir, to which paths become relative, and homes of a
    person, for which `~` stands. Each by all of its absolute names."""

    def __init__(self, roots: Iterable[str] = (), homes: Iterable[str] = ()) -> None:
        inside, alone = r"[\\/]+(?=[^\s'\"\\/])", r"(?![\w-]|\.\w)"
        self._patterns = [
            *((re.compile(rf"(?<!\w){one}{inside}"), "") for one in _expressions(roots)),
            *((re.compile(rf"(?<!\w){one}{alone}"), ".") for one in _expressions(roots)),
            *((re.compile(one + alone), "~") for one in _expressions(homes)),
            (_OWNER, "~"),
        ]

    def kept(self, text: str) -> str:
        """The first line of a text without these folders, cut where it is too long."""
        line = text.strip().partition("\n")[0]
        if "/" in line or "\\" in line:
            for pattern, instead in self._patterns:
                line = pattern.sub(instead, line)
        return shortened(line)


def _expressions(folders: Iterable[str]) -> Sequence[str]:
    """The longest first. The top of a file system is left out: everything lies there."""
    several = sorted({re.sub(r"[\\/]+$", "", one) for one in folders}, key=lambda o: (-len(o), o))
    parts = [re.split(r"[\\/]+", one) for one in several]
    # Text that is quoted has twice as many backslashes.
    return [r"[\\/]+".join(map(re.escape, names)) for names in parts if len(names) > 1]
