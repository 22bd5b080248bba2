"""Which job of a CI service this run is, and upon which commits that one has passed before."""

import os
from collections.abc import Sequence
from pathlib import Path

from pytest_ciopt.adapters import environment
from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.git import Git
from pytest_ciopt.adapters.history.facts import exact_surroundings
from pytest_ciopt.adapters.installed import installed
from pytest_ciopt.adapters.statedir import SEGMENTS, StateDir
from pytest_ciopt.core.base import Passed
from pytest_ciopt.settings import Command, Job, Settings


def job_here(command: Command, watched: Sequence[str], top: Path, git: Git | None) -> Job:
    """The job that runs in a repository. `watched` are globs of the environment variables that the
    project names. Raises: OSError, ValueError, GitError."""
    from pytest_ciopt.core.history.jobs import job  # not for runs on the machines of people

    if not environment.has_job_name():
        return Job()
    if git is not None and (odd := _hidden(git)) is not None:
        return Job(None, odd)
    places = tuple(os.path.relpath(place, top) for place in command.places)
    variables = environment.job_names() | environment.digests(watched)
    variables["PYTHONPATH"] = environment.search_path(top)
    return job(command._replace(places=places), exact_surroundings(), installed(top), variables)


def _hidden(git: Git) -> str | None:
    """Why git does not tell whether the working tree is the commit; None where it does.

    **Source:** git-ls-files, option -v: `S` is skip-worktree, small letters are assume-unchanged.
    """
    tags = {line[:1] for line in git.records("ls-files", "-v", "-z")}
    if "S" in tags:
        return "a sparse checkout"
    return "git update-index --assume-unchanged" if any(map(str.islower, tags)) else None


def passed(settings: Settings, state: StateDir) -> Passed:
    """What the history knows of this job. One that cannot be read knows nothing."""
    digest = settings.job.digest
    if digest is None or not (state.path / SEGMENTS).is_dir():
        return Passed(odd=settings.job.odd)
    from pytest_ciopt.adapters.history.index import UNREADABLE, ask  # not where runs are recorded

    try:
        commits, _ = ask(state, now(), lambda index: index.passed(digest))
    except UNREADABLE:
        return Passed()
    return Passed(commits)
