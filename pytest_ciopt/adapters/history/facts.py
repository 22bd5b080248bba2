"""What a segment says of the repository, and how runs are named."""

import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pytest_ciopt.adapters.git import COMMIT, Git
from pytest_ciopt.adapters.installed import installed
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.records import Environment

_IDENTITY = "cache/repository"
_DIGITS = 16


class Head(NamedTuple):
    """What is checked out; nothing of it outside a repository."""

    repository: str | None = None
    commit: str | None = None
    tree: str | None = None
    branch: str | None = None
    dirty: bool = False


def head(git: Git | None, state: StateDir, given: Iterable[str] = ()) -> Head:
    """Asks git. `given` are paths from its top that are no part of the project: they make nothing
    dirty where git does not know them. Raises: GitError."""
    if git is None:
        return Head()
    known = tuple(given)
    untracked = f"--untracked-files={'all' if known else 'normal'}"  # whatever git's settings say
    status = ["status", "--porcelain=v2", "--branch", "-z", "--ignore-submodules=none", untracked]
    said = list(git.records(*status))
    headers = dict(line[2:].split(" ", 1) for line in said if line.startswith("# "))
    commit, branch = headers.get("branch.oid", ""), headers.get("branch.head")
    if not COMMIT.fullmatch(commit):
        return Head(branch=branch, dirty=True)  # before the first commit
    return Head(
        repository=_identity(git, state),
        commit=commit,
        tree=git.line("rev-parse", "HEAD^{tree}"),
        branch=None if branch == "(detached)" else branch,
        dirty=any(not (line.startswith("# ") or _is_given(line, known)) for line in said),
    )


def _is_given(line: str, given: Iterable[str]) -> bool:
    path = line.removeprefix("? ")
    return path != line and any(path == one or path.startswith(f"{one}/") for one in given)


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


def distributions(top: Path) -> str:
    """A digest of the names and versions of what is installed beside the project."""
    from hashlib import sha256  # slow to import, and only shards need it

    names = "\0".join(sorted(installed(top)))
    return sha256(names.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGITS]


def exact_surroundings() -> tuple[str, ...]:
    """All that tells interpreters and systems apart on which the same tests may end otherwise: the
    build of Python and its flags, and the release of the system, but not of its kernel, of which
    runners of one kind have several."""
    import sysconfig  # only CI services come here

    try:
        system = platform.freedesktop_os_release()
        release = system.get("ID", ""), system.get("VERSION_ID", "")
    except OSError:
        release = platform.mac_ver()[0], platform.win32_ver()[1]
    binary = str(sysconfig.get_config_var("SOABI")), sysconfig.get_platform()
    launcher = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]  # such as `-m pytest`
    flags = str(tuple(sys.flags)), str(sys.warnoptions), str(sorted(sys._xoptions.items()))
    told = *flags, *map(os.path.basename, launcher), platform.machine()
    return sys.implementation.name, sys.version, *binary, *told, *release


def surroundings() -> Environment:
    """What this process runs on."""
    return Environment(
        python=platform.python_version(),
        implementation=platform.python_implementation().lower(),
        platform=f"{platform.system()}-{platform.machine()}".lower(),
    )
