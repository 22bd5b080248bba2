"""What a working tree holds that its commit does not: the plan of a selection holds for it alone.

A commit tells in CI. Where people edit, a test that the next edit can break would be in no shard.
"""

from collections.abc import Collection, Mapping

from pytest_ciopt.adapters.git import Git
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.adapters.worktree import Worktree
from pytest_ciopt.core.change import FileChange, Status
from pytest_ciopt.core.edits.buildconfig import is_build_config
from pytest_ciopt.core.edits.claims import LEFT_BEHIND, ruled, unruled
from pytest_ciopt.core.edits.requirements import is_manifest
from pytest_ciopt.core.globs import first_match
from pytest_ciopt.core.naming import folder_of
from pytest_ciopt.settings import Rules


def uncommitted(
    git: Git, state: StateDir, commit: str, rules: Rules, given: Collection[str | None] = ()
) -> dict[str, str]:
    """Ids of contents by path, sorted, of what differs from the commit that is checked out.

    Files that git does not track count as far as they are Python, data of its modules, or
    configuration: jobs download and leave much else. `given` are files that the run makes or is
    told. Raises: GitError.
    """
    worktree = Worktree(git, state)
    listing = worktree.listing()
    change = worktree.change(commit, listing)
    untracked = {path.rstrip("/") for path in listing.untracked}  # a repository has a slash
    folders = {folder_of(path) for path in listing.sources()} if untracked else set()
    return {
        file.path: _content(worktree, file)
        for file in change.files
        if file.path not in given and _counts(file, untracked, folders, rules)
    }


def _counts(
    file: FileChange, untracked: Collection[str], folders: Collection[str], rules: Rules
) -> bool:
    claim = ruled(file.path, rules)
    if claim is not None:
        return claim.everything or bool(claim.targets)
    if first_match(file.path, LEFT_BEHIND):
        return False
    if file.path.endswith(".py") or file.path not in untracked:
        return True
    if is_manifest(file.path) or is_build_config(file.path):
        return True
    return unruled(file.path, folders.__contains__).folder is not None


def _content(worktree: Worktree, file: FileChange) -> str:
    content = worktree.content_id(file.path)
    return f"{content}, mode changed" if file.status is Status.MODE else content


def differing(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Paths that are not what they were, sorted."""
    return [path for path in sorted(then.keys() | now.keys()) if then.get(path) != now.get(path)]
