"""Which lines a change has made or touched, as git tells."""

import os
import re
from collections.abc import Iterator

from pytest_ciopt.adapters.git import COMMIT, Git, GitError

_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_FILE = b"+++ "
_ESCAPED = re.compile(rb'\\([0-7]{3}|[abfnrtv"\\])')
_LETTERS = dict(zip(b"abfnrtv", b"\a\b\f\n\r\t\v", strict=True))


def changed_lines(git: Git, base: str) -> dict[str, frozenset[int] | None]:
    """Numbers of changed lines in the working tree, by path from the top, of Python files that
    differ from a commit; None where a file is new to git, and so all of it is changed.

    Raises: GitError.
    """
    if not COMMIT.fullmatch(base):
        raise GitError(f"{base!r} is no commit id")
    options = ("--unified=0", "--no-color", "--no-ext-diff", "--no-textconv", "--find-renames")
    prefixes = ("--src-prefix=a/", "--dst-prefix=b/", "--ignore-submodules=all")
    answer = git.run("diff", *options, *prefixes, base, "--")
    found: dict[str, frozenset[int] | None] = dict(_parsed(answer))
    new = git.records("ls-files", "--others", "--exclude-standard", "--full-name", "-z")
    found |= dict.fromkeys(path for path in new if path.endswith(".py"))
    return found


def _parsed(answer: bytes) -> Iterator[tuple[str, frozenset[int]]]:
    path: str | None = None
    changed: set[int] = set()
    within = 0
    """Lines of a hunk that are still to come: what they begin with means nothing."""
    for line in answer.split(b"\n"):
        if within and line[:1] in b"+-":
            within -= 1
        elif line.startswith(_FILE):
            if path is not None:
                yield path, frozenset(changed)
            path, changed = _path(line.removeprefix(_FILE)), set()
        elif hunk := _HUNK.match(line):
            removed, first, added = hunk.groups(default=b"1")
            within = int(removed) + int(added)
            changed.update(range(int(first), int(first) + int(added)))
    if path is not None:
        yield path, frozenset(changed)


def _path(told: bytes) -> str | None:
    """None for a file that is gone, or no Python file."""
    told = told.removesuffix(b"\t")  # git's mark behind a name with spaces
    if told.startswith(b'"'):
        told = _ESCAPED.sub(_meant, told[1:-1])
    path = os.fsdecode(told.removeprefix(b"b/"))
    return path if told.startswith(b"b/") and path.endswith(".py") else None


def _meant(escape: re.Match[bytes]) -> bytes:
    code = escape[1]
    return bytes((int(code, 8) if len(code) > 1 else _LETTERS.get(code[0], code[0]),))
