"""A second working tree of the repository, for as long as it is wanted."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pytest_ciopt.adapters.git import COMMIT, Git, GitError


@contextmanager
def checked_out(git: Git, commit: str) -> Iterator[Path]:
    """The tree of a commit in a temporary folder, which is gone afterwards, whatever happened.

    Files that git ignores, built extension modules for example, and submodules are not in it. No
    hook of the repository runs. Raises: GitError, OSError.
    """
    if not COMMIT.fullmatch(commit):
        raise GitError(f"{commit!r} is no commit id")
    with tempfile.TemporaryDirectory(prefix="ciopt-base-", ignore_cleanup_errors=True) as folder:
        place = Path(folder).resolve() / "tree"
        try:
            added = ("worktree", "add", "--quiet", "--detach", "--force", str(place), commit)
            git.run("-c", f"core.hooksPath={os.devnull}", *added)
            yield place
        finally:
            with suppress(GitError):
                git.run("worktree", "remove", "--force", "--force", str(place))


def files_of(git: Git) -> frozenset[str]:
    """Paths of all files but those that git ignores, from the top. Raises: GitError."""
    asked = ("--cached", "--others", "--exclude-standard", "-z")
    return frozenset(git.records("ls-files", *asked))
