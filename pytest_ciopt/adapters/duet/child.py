"""One fresh pytest that measures benchmarks in one tree.

It runs with this interpreter and so with the same installed distributions. Our own plugin decides
nothing in it: what it does there is in `hooks/probe.py`.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_ciopt.core.gates.answers import Answer, NoAnswer, Question, answer, question_text
from pytest_ciopt.core.history.encoding import shortened
from pytest_ciopt.core.history.rounds import CPU
from pytest_ciopt.core.nodeids import module_of
from pytest_ciopt.errors import CioptError

ASKED = "CIOPT_PROBE"
"""Variable that names the file with the question."""
_OURS = ("CIOPT_", "COV_CORE_", "COVERAGE_", "PYTEST_XDIST_", "PYTEST_CURRENT_TEST")
"""Prefixes of variables that say something to plugins of the session around."""
_FINE = (0, 1, 5)
"""Exit codes of a pytest that came to its end: all passed, some failed, none was there."""
_LONGEST = 3600
"""Seconds after which a process is given up."""


class NotMeasured(CioptError):
    """The process could not measure anything."""


@dataclass(frozen=True, slots=True)
class Place:
    """A tree, and how pytest runs there."""

    top: Path
    root: str = ""
    """pytest's rootdir, from the top."""
    config: str | None = None
    """Its configuration file, from the top; None where pytest finds it itself."""
    roots: tuple[str, ...] = ()
    """Folders, from the top, that are looked through first when modules are imported."""
    arguments: tuple[str, ...] = ()
    """More options of pytest."""
    path: tuple[str, ...] = ()
    """Entries of PYTHONPATH behind those."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be measured, and how."""

    tests: frozenset[str] | None
    clock: str
    seed: int = 0
    """Of the hashes of texts, by which the order of sets and the layout of dicts differ."""


def ask(place: Place, wanted: Wanted) -> Answer:
    """Runs the benchmarks. Raises: NotMeasured, OSError."""
    files = _files(place, wanted)
    if wanted.tests is not None and not files:
        return Answer()
    with tempfile.TemporaryDirectory(prefix="ciopt-", ignore_cleanup_errors=True) as folder:
        asked, told = Path(folder) / "question.json", Path(folder) / "answer.json"
        asked.write_text(question_text(Question(wanted.tests, str(told))), encoding="ascii")
        command = (*_command(place, wanted), f"--override-ini=cache_dir={folder}/cache", *files)
        done = _run(command, place, {ASKED: str(asked), "PYTHONHASHSEED": str(wanted.seed)})
        if done.returncode not in _FINE or not told.exists():
            raise NotMeasured(_said(done))
        try:
            return answer(told.read_text(encoding="ascii"))
        except NoAnswer as error:
            raise NotMeasured(str(error)) from error


def _files(place: Place, wanted: Wanted) -> tuple[str, ...]:
    """Those of the tests that the tree has, relative to the rootdir."""
    folder = place.top / place.root
    named = {module_of(test) for test in wanted.tests or ()}
    return tuple(sorted(file for file in named if (folder / file).exists()))


def _command(place: Place, wanted: Wanted) -> tuple[str, ...]:
    folder = place.top / place.root
    ours = ("-p", "no:ciopt", "-p", "no:pytest_ciopt.plugin", "-p", "pytest_ciopt.hooks.probe")
    words = [sys.executable, "-m", "pytest", "-p", "benchmark", *ours, f"--rootdir={folder}"]
    if place.config is not None and (place.top / place.config).is_file():
        words += ["-c", str(place.top / place.config)]
    words += ["--quiet", "--continue-on-collection-errors", *place.arguments]
    words.append("--benchmark-enable")
    if wanted.clock == CPU:
        words.append("--benchmark-timer=time.process_time")
    return tuple(words)


def _run(
    command: Sequence[str], place: Place, more: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    first = (str(place.top / root) for root in place.roots)
    path = os.pathsep.join((*first, *place.path))
    try:
        return subprocess.run(
            command,
            cwd=place.top / place.root,
            env={**kept, **more, **({"PYTHONPATH": path} if path else {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_LONGEST,
        )
    except subprocess.TimeoutExpired as error:
        raise NotMeasured(f"pytest took more than {_LONGEST:,} seconds") from error


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """The first line that tells of an error, else the last one."""
    lines = [line.strip() for text in (done.stderr, done.stdout) for line in text.splitlines()]
    lines = [line for line in lines if line]
    telling = (line for line in lines if line.startswith(("ERROR", "E  ", "ImportError")))
    first = next(telling, lines[-1] if lines else "nothing")
    return f"pytest ended with {done.returncode}: {shortened(first)}"


def mapped(entries: str, top: Path, place: Path) -> tuple[str, ...]:
    """PYTHONPATH with what lies in one tree taken from another one instead."""
    found = []
    for entry in filter(None, entries.split(os.pathsep)):
        with suppress(ValueError, OSError):
            entry = str(place / Path(entry).resolve().relative_to(top.resolve()))
        found.append(entry)
    return tuple(found)
