"""What an earlier `ciopt plan` collected, so that only what changed since is imported again.

The tests of a file stay what they are until a change reaches the file: that is what a selection
stands on. So pytest is asked to collect with `--ciopt-changed` since the commit whose tests are
known; of the files that it does not read then, the known tests count. Where anything else may
alter what is collected (other arguments, distributions or variables), all is collected.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_ciopt import settings
from pytest_ciopt.adapters import pytest_config
from pytest_ciopt.adapters.environment import current_folder
from pytest_ciopt.adapters.git import Git, GitError
from pytest_ciopt.adapters.statedir import StateDir, forget_older
from pytest_ciopt.cli.collecting import FLAG, Collection, ToldTest, collect
from pytest_ciopt.cli.place import Place, warn
from pytest_ciopt.core.history.options import option_names
from pytest_ciopt.errors import CioptError
from pytest_ciopt.settings import Command
from pytest_ciopt.usecases.jobs import job_here

FOLDER = "cache/collected"
_SCHEMA = 1
_KEPT = 90 * 86_400
"""Seconds after which what was collected with other arguments, or elsewhere, is forgotten."""
_LARGEST = 500_000_000
"""Bytes of a file that is read."""
_VARIABLES = ("PYTEST_*", "PYTHON*")
"""Beside those that the project names."""
_FOREIGN = frozenset(("-c", "--config-file", "--rootdir", "--confcutdir", "--pyargs"))
"""Options by which files count of which no change tells."""


def collect_known(
    where: Place,
    head: str | None,
    edits: Mapping[str, str] | None,
    arguments: Sequence[str],
    *,
    anew: bool,
) -> Collection:
    """All tests, as far as possible from what an earlier plan has collected, unless `anew`.

    What is found is kept where the working tree holds what `head` does, without `edits`. Raises:
    CioptError when pytest cannot collect.
    """
    memory = None
    if where.git is not None and head is not None and edits is not None:
        memory = _memory(where, arguments)
    if memory is None or where.git is None or head is None:
        return collect(current_folder(), arguments)
    found, told = _collect(memory, where.git, head, arguments, clean=not edits, anew=anew)
    if not edits:
        told += filter(None, [memory.keep(_Known(head, found))])
    warn(told)
    return found


@dataclass(frozen=True, slots=True)
class _Known:
    """All tests of a commit."""

    commit: str
    collection: Collection


@dataclass(frozen=True, slots=True)
class _Memory:
    """What is known of one way to collect."""

    state: StateDir
    name: str

    def recall(self) -> _Known | None:
        """None where nothing is known, or what lies there cannot be used."""
        place = self.state.path / self.name
        try:
            if place.stat().st_size > _LARGEST:
                return None
            return _decoded(json.loads(place.read_bytes()))
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
            return None

    def keep(self, known: _Known) -> str | None:
        """Returns why it could not be kept, None when it was."""
        content = json.dumps(_encoded(known), separators=(",", ":"))
        problem = self.state.write(self.name, content.encode("ascii"))
        forget_older(self.state.path / self.name, _KEPT)
        return problem


def _memory(where: Place, arguments: Sequence[str]) -> _Memory | None:
    """None where two collections cannot be compared. Raises: ConfigurationError."""
    folder = current_folder()
    config = pytest_config.find(folder, where.top)
    typed = (*pytest_config.words_of_environment(), *arguments)
    configured = tuple(config.words("addopts"))
    if option_names((*typed, *configured)) & {FLAG, *_FOREIGN}:
        return None
    watched = (*settings.watched(config.words("ciopt_environment")), *_VARIABLES)
    command = Command(typed, configured, (str(folder), str(config.rootdir)))
    try:
        digest = job_here(command, watched, where.top, where.git).digest
    except (GitError, OSError, ValueError):
        return None
    return None if digest is None else _Memory(where.state, f"{FOLDER}/{digest}.json")


def _collect(
    memory: _Memory, git: Git, head: str, arguments: Sequence[str], *, clean: bool, anew: bool
) -> tuple[Collection, list[str]]:
    """All tests, and lines that say what of it was known."""
    known = None if anew else memory.recall()
    if known is None:
        return collect(current_folder(), arguments), []
    if known.commit == head and clean:
        told = f"no test file is imported: the tests are those of {head[:12]}"
        return known.collection, [told]
    fresh = _since(known, git, head, arguments)
    if fresh is None:
        return collect(current_folder(), arguments), []
    if fresh.base is None:
        return replace(fresh, told=()), []  # why, is of a selection that nobody asked for
    found = joined(known.collection, fresh)
    return found, _told(known, found, fresh)


def _since(known: _Known, git: Git, head: str, arguments: Sequence[str]) -> Collection | None:
    """What pytest reads of a change; None where that cannot be told, or is of something else."""
    if git.commit(known.commit) is None or git.merge_base(known.commit, head) != known.commit:
        return None
    try:
        fresh = collect(current_folder(), [f"{FLAG}={known.commit}", *arguments])
    except CioptError:
        return None  # without it the same may work, and what does not is told without our flag
    same = fresh.root == known.collection.root and fresh.base in (None, known.commit)
    return fresh if same else None


def joined(known: Collection, fresh: Collection) -> Collection:
    """Of files that were not read what is known, of others what was found."""
    unread = set(fresh.unread) - {test.path for test in fresh.tests}
    kept = [test for test in known.tests if test.path in unread]
    found = [replace(test, selected=True) for test in fresh.tests]
    files = {test.path for test in (*found, *kept)}
    users = {name: set(paths) & files for name, paths in known.fixtures.items()}
    for name, paths in fresh.fixtures.items():
        users.setdefault(name, set()).update(paths)
    return Collection(
        (*found, *kept),
        None,
        fixtures={name: sorted(paths) for name, paths in sorted(users.items()) if paths},
        root=fresh.root,
    )


def _told(known: _Known, found: Collection, fresh: Collection) -> list[str]:
    files = {test.path for test in found.tests}
    read = files & {test.path for test in fresh.tests}
    if read == files:
        return []
    number = f"{len(read):,} of {len(files):,} test files are imported"
    return [f"{number}; the tests of the others are those of {known.commit[:12]}"]


def _encoded(known: _Known) -> dict[str, object]:
    tests = [[test.id, test.path, test.group] for test in known.collection.tests]
    return {
        "schema": _SCHEMA,
        "commit": known.commit,
        "root": known.collection.root,
        "tests": tests,
        "fixtures": {name: list(paths) for name, paths in known.collection.fixtures.items()},
    }


def _decoded(document: Any) -> _Known:
    """Raises: ValueError, TypeError, LookupError, AttributeError."""
    if document["schema"] != _SCHEMA:
        raise ValueError("of another version")
    tests = tuple(
        ToldTest(_text(name), path and _text(path), True, "", group and _text(group))
        for name, path, group in document["tests"]
    )
    fixtures = {name: tuple(map(_text, paths)) for name, paths in document["fixtures"].items()}
    collection = Collection(tests, None, fixtures=fixtures, root=_text(document["root"]))
    return _Known(_text(document["commit"]), collection)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value
