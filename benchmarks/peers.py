"""The selectors that `selection.py` compares: how each is installed and asked.

Each lives in a virtual environment of its own, which holds what the projects need, too.
"""

import json
import os
import signal
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cpu import Cost, environment, run
from projects import INSTALLED, Project

_HERE = Path(__file__).parent
_TACH = """\
exclude = ["**/__pycache__", "docs", "doc", "build", "dist"]
source_roots = {roots}
root_module = "allow"
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """A selector."""

    name: str
    requirements: tuple[str, ...]
    words: tuple[str, ...]
    """Its pytest options; `{module}` and `{tests}` are paths of the project."""
    records: tuple[str, ...] = ()
    """Options of a run that records, where it needs one."""
    command: tuple[str, ...] = ("python", "-m", "pytest")


OURS = Peer("pytest-ciopt", ("--editable", str(_HERE.parent)), ("--ciopt-changed=HEAD",))
IMPACTED = Peer(
    "pytest-impacted",
    ("pytest-impacted[fast]==0.36.0",),
    ("--impacted", "--impacted-module={module}", "--impacted-tests-dir={tests}"),
)
SNOB = Peer("pytest-snob", ("pytest-snob==0.1.14",), ("--commit-range=HEAD",))
TACH = Peer(
    "tach",
    ("tach==0.35.3",),
    (),
    command=("tach", "test", "--disable-cache", "--base", "HEAD", "--"),
)
TESTMON = Peer(
    "pytest-testmon",
    ("pytest-testmon==2.2.0",),
    ("--testmon-nocollect",),
    records=("--testmon",),
)
PEERS = {peer.name: peer for peer in (OURS, IMPACTED, SNOB, TACH, TESTMON)}


@dataclass(frozen=True, slots=True)
class Answer:
    """What one run of pytest chose, and how it went."""

    cost: Cost
    chosen: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    """Tests that failed, and modules that could not be collected."""
    problem: str = ""
    errors: frozenset[str] = frozenset()
    """Of `failed` the modules."""
    outcomes: Mapping[str, str] = field(default_factory=dict)
    """Of the tests that ran."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Of all phases of each of them."""

    @property
    def seen(self) -> frozenset[str]:
        """All that would be noticed: chosen tests, and modules that fail while collected."""
        return self.chosen | self.failed


class Bench:
    """Runs pytest in the environments of the peers."""

    def __init__(self, cache: Path, installed: Sequence[str] = INSTALLED) -> None:
        """`installed` are the requirements that are installed beside each peer."""
        self._cache, self._installed = cache, installed

    def tool(self, peer: Peer, name: str) -> str:
        """A command of a peer's environment, which is made when it is not there."""
        place = self._cache / "environments" / peer.name
        complete, wanted = place / "complete", (*self._installed, *peer.requirements)
        if not complete.exists() or complete.read_text() != "\n".join(wanted):
            print(f"installing {peer.name}", file=sys.stderr)
            venv.create(place, with_pip=True, clear=True)
            pip = (str(place / "bin" / "python"), "-m", "pip", "install", "--quiet")
            subprocess.run((*pip, *wanted), check=True)
            complete.write_text("\n".join(wanted))
        return str(place / "bin" / name)

    def asked(self, peer: Peer, project: Project, folder: Path, *paths: str) -> Answer:
        """What a peer chooses of the tests at `paths`; nothing is run."""
        words = [w.format(module=project.module, tests=project.tests) for w in peer.words]
        return self.pytest(peer, project, folder, *words, "--collect-only", *paths)

    def pytest(self, peer: Peer, project: Project, folder: Path, *words: str) -> Answer:
        """One run of pytest."""
        probe = self._cache / "probe.json"
        probe.unlink(missing_ok=True)
        program, *rest = peer.command
        command = [self.tool(peer, program), *rest, "-q", "-p", "selection_probe", *words]
        cost = run(command, folder, self.environ(peer, project, folder, probe), both=True)
        if cost.code == -signal.SIGKILL:
            return Answer(cost, problem="did not end, and was killed")
        if not probe.exists():
            return Answer(cost, problem=_last(cost.told) or f"exit code {cost.code}")
        found = json.loads(probe.read_text(encoding="utf-8"))
        errors = frozenset(found["errors"])
        problem = _last(cost.told) if cost.code in (3, 4) else ""
        return Answer(
            cost,
            frozenset(found["chosen"]),
            frozenset(found["failed"]) | errors,
            problem,
            errors,
            found["outcomes"],
            found["seconds"],
        )

    def environ(self, peer: Peer, project: Project, folder: Path, probe: Path) -> Mapping[str, str]:
        """The sources of the project hide what is installed under its name."""
        path = os.pathsep.join((str(folder / project.source_root), str(_HERE)))
        tools = str(Path(self.tool(peer, "python")).parent)
        return {
            **environment(self._cache),
            "PATH": tools + os.pathsep + os.environ["PATH"],
            "PYTHONPATH": path,
            "PROBE_FILE": str(probe),
            "PYTHONHASHSEED": "0",
        }


def tach_configuration(project: Project) -> str:
    """The smallest configuration that tach accepts for a project."""
    roots = ["."] if project.source_root == "." else [project.source_root, "."]
    return _TACH.format(roots=json.dumps(roots))


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
