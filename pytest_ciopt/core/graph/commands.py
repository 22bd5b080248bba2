"""Commands that the project installs, and the sources whose strings name one. Pure."""

import re
from collections.abc import Iterable
from typing import NamedTuple

MARK = "$"
"""What the names of commands begin with in an index: `$shop-report`."""

_OPENS = rb"['\"`/\\;&|(]"
"""A string, the last part of a path, or a command of a shell."""
_ENDS = rb"(?:\.exe)?['\"`\s\\;&|<>)]"


class Command(NamedTuple):
    """A console script."""

    name: str
    modules: tuple[str, ...]
    """Import names of what runs, one for each configuration that installs it; sorted."""


class Names:
    """Looks for names of commands in sources."""

    def __init__(self, names: Iterable[str]) -> None:
        self.all = tuple(sorted(names))
        """The names, sorted."""
        encoded = [(name, name.encode("utf-8", "surrogateescape")) for name in self.all]
        self._patterns = [(name, text, _pattern(text)) for name, text in encoded]

    def within(self, source: bytes) -> frozenset[str]:
        """Marked names of the commands that a string of the source may start.

        A name counts at the beginning of a string, of the last part of a path, of a line, and where
        a shell begins a command. One with a hyphen is no word of Python: it counts behind a space.
        """
        return frozenset(
            MARK + name
            for name, text, pattern in self._patterns
            if text in source and pattern.search(source)
        )


NO_COMMANDS = Names(())


def _pattern(name: bytes) -> re.Pattern[bytes]:
    """Begins with the name and looks behind from its end, for literal text is found soonest."""
    name = re.escape(name)
    before = (_OPENS, rb"\\n", rb"\s" if b"-" in name else rb"[;&|(] ")
    behind = b"|".join(rb"(?<=" + opens + name + rb")" for opens in before)
    return re.compile(name + rb"(?:" + behind + rb")" + _ENDS)
