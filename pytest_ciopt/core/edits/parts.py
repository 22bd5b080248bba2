"""The part of a file that an edit reaches, as values; `core/edits/reach.py` finds it. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Reach(NamedTuple):
    """The part of a file that an edit of the file reaches."""

    whole: str | None
    """Why all of it; None when it is a part."""
    names: frozenset[str] = frozenset()
    """Qualified names of tests and whole classes that are reached (either text)."""
    known: frozenset[str] = frozenset()
    """Qualified names of all definitions of the current text."""
    helpers: bool = False
    """Whether more than test functions is reached."""
    fixtures: frozenset[str] = frozenset()
    """Names by which reached fixtures are asked for, be it by fixtures of other files."""

    def has(self, names: Sequence[str], inherited: bool) -> bool:
        """Whether a test is reached that goes by these qualified names (one per base class).

        A name that the text does not define counts as reached, for some code made the test,
        unless it is known to be `inherited` from a class of another file.
        """
        if self.whole is not None or not names or (inherited and self.helpers):
            return True
        return (not inherited and self.known.isdisjoint(names)) or (
            any(not self.names.isdisjoint(_with_scopes(name)) for name in names)
        )


class FixtureReach(NamedTuple):
    """The part of what lies below a conftest that an edit of the conftest reaches."""

    whole: str | None
    fixtures: frozenset[str] = frozenset()
    """Names of fixtures whose users are reached."""


def _with_scopes(name: str) -> Iterable[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]
