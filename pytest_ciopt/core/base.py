"""The base of a change: the commit that the working tree is compared with, or why there is none.

Values, and the names by which a base may be asked for. How a base is found is the business of
`adapters.baseref`; what a CI service says about it, of `core.cibase`.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple


class Base(NamedTuple):
    """A commit that this clone has and that the change starts from."""

    commit: str
    """Full commit id."""
    ref: str
    """What was asked for, for people: `origin/main`."""
    how: str
    """How the commit came out of that, for people: `merge base with origin/main`."""
    passed: bool = False
    """Whether the history shows that all tests have passed upon it."""


class NoBase(NamedTuple):
    """Nothing to compare with: every test runs, and one line says this."""

    why: str
    """What happened, without a full stop."""
    mend: str
    """What to do next: one sentence."""


class Passed(NamedTuple):
    """What the history knows of the job that runs here."""

    commits: Sequence[str] = ()
    """Those upon which all of it has passed, the newest run first."""
    odd: str | None = None
    """The option for which its runs cannot be compared with each other."""


_NOT_IN_A_BRANCH = re.compile(r"[\s~^:?*\[\\]|\.\.|//|@\{|^[-/.]|/$|\.lock$")
_COMMIT_ID = re.compile(r"(?!0+\Z)[0-9a-f]{7,64}\Z")


def revision(value: str) -> str:
    """A revision that a person wrote, of any form git knows; empty when git must not see it.

    A leading `-` would be an option to git; no revision has unprintable characters or is long.
    """
    name = value.strip()
    return name if len(name) <= 1000 and name.isprintable() and name[:1] != "-" else ""


def branch_name(value: object) -> str:
    """The branch that a service named, without `refs/heads/`; empty when it can be none.

    **Source:** git-check-ref-format(1), tightened: unprintable characters and names over 250
    characters, which no file system takes as a loose ref, are out too.
    """
    name = value.removeprefix("refs/heads/") if isinstance(value, str) else ""
    fine = len(name) <= 250 and name.isprintable() and not _NOT_IN_A_BRANCH.search(name)
    return name if fine else ""


def commit_id(value: object) -> str:
    """The commit id that a service named; empty when it can be none, or is all zeros.

    Abbreviations count: Bitbucket gives the first 12 digits.
    """
    return value if isinstance(value, str) and _COMMIT_ID.match(value) else ""


def shown(value: str) -> str:
    """A stranger's value as it may stand in a message: quoted, escaped, at most 60 characters."""
    return repr(value if len(value) <= 60 else f"{value[:57]}...")
