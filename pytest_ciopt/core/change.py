"""What differs between the base and the working tree, as values. Pure."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """What happened to a path."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    RENAMED = "renamed"
    """The new path of a file; its old path is reported as deleted, too."""
    MODE = "mode changed"
    """Same content, other permissions."""
    TYPE = "type changed"
    """A file became a symlink or the other way round."""
    SUBMODULE = "submodule moved"
    SYMLINK = "symlink changed"
    DECLARED = "declared by a hook"


class FileChange(NamedTuple):
    """One changed path, repository-relative POSIX."""

    path: str
    status: Status
    renamed_from: str | None = None
    before: str | None = None
    """Git's id of the base's content; None where there is none or it is no file."""


class Change(NamedTuple):
    """All changed paths, sorted by path."""

    files: Sequence[FileChange]
