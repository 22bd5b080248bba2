"""Where the history of the current folder lies, and how it is asked and told of."""

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pytest_ciopt.adapters import pytest_config
from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.environment import current_folder, variable
from pytest_ciopt.adapters.git import Git, GitError, NoRepository
from pytest_ciopt.adapters.history.facts import head
from pytest_ciopt.adapters.history.index import Index, ask
from pytest_ciopt.adapters.paths import root_of
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.report.tables import printable

_T = TypeVar("_T")
EMPTY = "no runs are recorded yet: `pytest --ciopt-record=results` records one"


@dataclass(frozen=True, slots=True)
class Place:
    """A history, and the tree that it tells of."""

    state: StateDir
    top: Path
    """Ids of tests begin here."""
    git: Git | None
    root: str
    """pytest's rootdir for the current folder, from the top."""
    durations: Path | None = None
    """The file that `ciopt_durations` names."""

    def repository(self) -> str | None:
        """The id that all clones share; None where it cannot be told, as in a shallow one."""
        return head(self.git, self.state).repository

    def ask(self, question: Callable[[Index], _T]) -> _T:
        """The answer; what was adopted or set aside goes to stderr."""
        answer, told = ask(self.state, now(), question)
        warn(told)
        return answer


def place() -> Place:
    """The history of the current folder."""
    folder = current_folder()
    try:
        git: Git | None = Git(folder)
    except GitError as error:
        git = None
        if not isinstance(error, NoRepository):
            warn([f"without git: {error}"])
    config = pytest_config.find(folder, folder if git is None else git.top)
    top = config.rootdir if git is None else git.top
    named = variable("CIOPT_DIR") or config.text("ciopt_dir")
    root, durations = root_of(config.rootdir, top), config.text("ciopt_durations")
    return Place(
        StateDir(top / (named or ".ciopt")),
        top,
        git,
        root,
        config.rootdir / durations if durations else None,
    )


def warn(told: Iterable[str]) -> None:
    """Lines that must not disturb what other programs read."""
    for line in told:
        print(f"ciopt: {printable(line)}", file=sys.stderr)


def print_lines(lines: Iterable[str]) -> None:
    """For people; whoever wrote what is told, it reaches no terminal as it is."""
    for line in lines:
        print(printable(line))


def print_json(document: object) -> None:
    """For programs."""
    print(json.dumps(document, indent=2))
