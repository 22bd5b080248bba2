"""What a segment says of the repository, and how runs are named."""

import os
import platform
from dataclasses import dataclass

from pytest_ciopt.adapters.git import COMMIT, Git
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.records import Environment

_IDENTITY = "cache/repository"


@dataclass(frozen=True, slots=True)
class Head:
    """What is checked out; nothing of it outside a repository."""

    repository: str | None = None
    commit: str | None = None
    tree: str | None = None
    branch: str | None = None
    dirty: bool = False


def head(git: Git | None, state: StateDir) -> Head:
    """Asks git. Raises: GitError."""
    if git is None:
        return Head()
    said = list(git.records("status", "--porcelain=v2", "--branch", "-z"))
    headers = dict(line[2:].split(" ", 1) for line in said if line.startswith("# "))
    commit, branch = headers.get("branch.oid", ""), headers.get("branch.head")
    if not COMMIT.fullmatch(commit):
        return Head(branch=branch, dirty=True)  # before the first commit
    return Head(
        repository=_identity(git, state),
        commit=commit,
        tree=git.line("rev-parse", "HEAD^{tree}"),
        branch=None if branch == "(detached)" else branch,
        dirty=any(not line.startswith("# ") for line in said),
    )


def _identity(git: Git, state: StateDir) -> str | None:
    """The id of the first commit, which all clones share; unknown in a shallow one.

    It is looked for once, as that takes long in a large repository.
    """
    kept = (state.read(_IDENTITY) or b"").decode("ascii", "replace").strip()
    if COMMIT.fullmatch(kept):
        return kept
    if git.is_shallow():
        return None
    roots = git.line("rev-list", "--max-parents=0", "HEAD").split()
    found = min(roots) if roots else None  # a repository may have been joined from several
    if found is not None:
        state.write(_IDENTITY, f"{found}\n".encode("ascii"))
    return found


def new_run_id(moment: float) -> str:
    """Unique everywhere; ids of later runs sort behind. `moment` is seconds of the epoch."""
    return f"{int(moment * 1000):012x}-{os.urandom(10).hex()}"


def surroundings() -> Environment:
    """What this process runs on."""
    return Environment(
        python=platform.python_version(),
        implementation=platform.python_implementation().lower(),
        platform=f"{platform.system()}-{platform.machine()}".lower(),
    )
