"""Which job of a CI service this run is, and upon which commits that one has passed before."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ciopt.adapters import environment
from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.history.facts import surroundings
from pytest_ciopt.adapters.installed import installed
from pytest_ciopt.adapters.statedir import SEGMENTS, StateDir
from pytest_ciopt.core.base import Passed
from pytest_ciopt.core.cibase import in_ci
from pytest_ciopt.settings import Command, Settings

if TYPE_CHECKING:
    from pytest_ciopt.core.history.jobs import Job


def job_here(command: Command | None, watched: Sequence[str], top: Path) -> "Job | None":
    """The job that runs in a repository; None but on a CI service, as nobody else asks. `watched`
    are globs of the environment variables that the project names."""
    if command is None or not in_ci(environment.environ()):
        return None
    from pytest_ciopt.core.history.jobs import job  # not for runs on the machines of people

    places = tuple(os.path.relpath(place, top) for place in command.places)
    variables = environment.job_names() | environment.digests(watched)
    return job(command._replace(places=places), surroundings(), installed(top), variables)


def passed(settings: Settings, state: StateDir, top: Path) -> Passed:
    """What the history knows of this job. One that cannot be read knows nothing."""
    here = job_here(settings.command, settings.environment, top)
    if here is None or here.digest is None or not (state.path / SEGMENTS).is_dir():
        return Passed(odd=None if here is None else here.odd)
    from pytest_ciopt.adapters.history.index import UNREADABLE, ask  # not where runs are recorded

    digest = here.digest
    try:
        commits, _ = ask(state, now(), lambda index: index.passed(digest))
    except UNREADABLE:
        return Passed()
    return Passed(commits)
