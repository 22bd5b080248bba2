"""What a change does to the tests of a project, and which of that a selection would have seen.

A change is made in the working tree of a git repository. A full run tells its truth: tests whose
outcome is another one than before. A selector misses those that it leaves out.
"""

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from cpu import Cost, Failed
from peers import OURS, TESTMON, Answer, Bench, Peer
from projects import Project

_OWN_FILES = (".ciopt", ".pytest_cache", ".testmondata*", ".hypothesis", "__pycache__", "*.pyc")
_PLAIN = Peer(OURS.name, OURS.requirements, ("-p", "no:ciopt"))
_KEPT = (".ciopt", ".testmondata", ".testmondata-shm", ".testmondata-wal")
_GOES_ON = "--continue-on-collection-errors"
RECORDING = {OURS: ("--ciopt-record=deps",), TESTMON: ("--testmon",)}
SELECTING = {
    OURS: ("--ciopt-changed=HEAD", "--ciopt-record=deps"),
    TESTMON: ("--testmon",),
}
ASKING = {OURS: ("--ciopt-changed=HEAD",), TESTMON: ("--testmon-nocollect",)}


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one selector did on one change."""

    chosen: frozenset[str]
    missed: frozenset[str]
    share: float
    """Of all tests, in [0, 1]."""
    extra: int
    """Tests chosen whose outcome stayed."""
    cpu: float
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Why tests were selected, and how many."""
    problem: str = ""

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `document`."""
        chosen, missed = frozenset(document["chosen"]), frozenset(document["missed"])
        share, extra, cpu = document["share"], document["extra"], document["cpu"]
        return cls(chosen, missed, share, extra, cpu, document["reasons"], document["problem"])

    def document(self) -> dict[str, object]:
        """The verdict as JSON can hold it."""
        return {
            "chosen": sorted(self.chosen),
            "missed": sorted(self.missed),
            "share": self.share,
            "extra": self.extra,
            "cpu": self.cpu,
            "reasons": dict(self.reasons),
            "problem": self.problem,
        }

    def of(self, truth: frozenset[str]) -> "Verdict":
        """The verdict when fewer tests change their outcome than was thought."""
        extra = len(self.chosen - truth)
        return replace(self, missed=self.missed & truth, extra=extra)


class Details:
    """One JSON document a line for each change and selector, and what an earlier file has of it.

    Full runs take most of the time: after a change of one selector the rest need not be repeated.
    """

    def __init__(self, written: Path | None, known: Path | None) -> None:
        self._written = written
        self._known: dict[tuple[str, str], dict[str, Any]] = {}
        """By project and change, then by selector."""
        if known is not None:
            for line in known.read_text(encoding="utf-8").splitlines():
                one = json.loads(line)
                self.known(one["project"], one["change"])[one["selector"]] = one

    def known(self, project: str, change: str) -> dict[str, Any]:
        """What an earlier file says of a change, by selector."""
        return self._known.setdefault((project, change), {})

    def write(self, document: Mapping[str, object]) -> None:
        """Adds a line."""
        if self._written is not None:
            with self._written.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(document) + "\n")


class Subject:
    """A project in a git repository, with what the selectors recorded there."""

    def __init__(self, bench: Bench, project: Project, place: Path, words: Iterable[str]) -> None:
        """`words` are what pytest is called with: paths and options."""
        self._bench, self._project, self._place = bench, project, place
        self._words = tuple(words)
        self._vault = place.with_name(f"{place.name}-recorded")
        exclude = place / ".git" / "info" / "exclude"
        exclude.parent.mkdir(exist_ok=True)
        exclude.write_text("\n".join(_OWN_FILES) + "\n")
        self.before: dict[str, str] = {}
        """Outcomes without the change, of tests whose outcome does not vary by itself."""
        self.unstable: frozenset[str] = frozenset()
        self.plain = Answer(Cost(0.0, 0.0))
        self.broken = False
        """Whether pytest cannot even start with the change."""

    def full(self) -> Answer:
        """A full run of the present state, without a selector."""
        return self._run(_PLAIN, *_PLAIN.words)

    def warm(self) -> None:
        """Has Python compile what is new, so that nobody is charged with it."""
        self._run(_PLAIN, *_PLAIN.words, "--collect-only")

    def settle(self, again: bool = True) -> Answer:
        """Takes the present state as the one that changes are compared with."""
        self.warm()
        self.plain = self.full()
        self.before = dict(self.plain.outcomes)
        if again:
            second = self.full().outcomes
            self.unstable = frozenset(t for t, was in self.before.items() if second.get(t) != was)
        return self.plain

    def record(self, peer: Peer) -> Answer:
        """Lets a selector record the present state from nothing, and keeps what it has."""
        self.forget(peer)
        answer = self._run(peer, *RECORDING[peer])
        vault = self._vault / peer.name
        shutil.rmtree(vault, ignore_errors=True)
        vault.mkdir(parents=True)
        for name in _KEPT:
            _copy(self._place / name, vault / name)
        return answer

    def forget(self, peer: Peer) -> None:
        """Removes what a selector keeps in the project."""
        for name in _KEPT:
            path = self._place / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def changed(self, now: Answer) -> frozenset[str]:
        """Tests whose outcome a full run shows to differ; those of a broken module included."""
        self.broken = bool(now.problem)
        found = set()
        for test in self.before.keys() | now.outcomes.keys():
            was, word = self.before.get(test), now.outcomes.get(test)
            gone = word is None and not (now.problem or module_of(test) in now.errors)
            if was != word and not gone and test not in self.unstable:
                found.add(test)
        return frozenset(found)

    def verdict(
        self, peer: Peer, truth: frozenset[str], known: Mapping[str, Any], run: bool = False
    ) -> Verdict:
        """As `ask`, or what is known of a selector that is not asked again."""
        if peer.name in known:
            return Verdict.read(known[peer.name])
        return self.ask(peer, truth, run)

    def ask(self, peer: Peer, truth: frozenset[str], run: bool = False) -> Verdict:
        """What a selector chooses for the present state; with `run`, it also runs that."""
        self.forget(peer)
        for name in _KEPT:
            _copy(self._vault / peer.name / name, self._place / name)
        said = self._place.with_name("decisions.json")
        said.unlink(missing_ok=True)
        words = [*SELECTING[peer]] if run else [*ASKING[peer], "--collect-only"]
        if peer is OURS:
            words.append(f"--ciopt-json={said}")
        answer = self._run(peer, *words)
        fails, seen = self.broken and bool(answer.problem), answer.errors
        missed = frozenset(
            test
            for test in truth
            if not (fails or test in answer.chosen or module_of(test) in seen)
        )
        return Verdict(
            answer.chosen,
            missed,
            len(answer.chosen) / max(1, len(self.before)),
            len(answer.chosen - truth),
            answer.cost.cpu,
            _reasons(said),
            answer.problem,
        )

    def select(self, peer: Peer, *words: str) -> Answer:
        """Runs what a selector chooses, which goes on with what it has recorded so far."""
        return self._run(peer, *(words or SELECTING[peer]))

    def git(self, *words: str) -> str:
        """What git says."""
        told = subprocess.run(
            ["git", *words], cwd=self._place, check=True, capture_output=True, text=True
        )
        return told.stdout

    def _run(self, peer: Peer, *words: str) -> Answer:
        """Raises: Failed when a run was killed, for then nothing is known of it."""
        answer = self._bench.pytest(
            peer, self._project, self._place, _GOES_ON, *words, *self._words
        )
        if answer.cost.code < 0:
            raise Failed(f"{peer.name}, {' '.join(words)}: killed, exit code {answer.cost.code}")
        return answer


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.exists():
        shutil.copy2(source, target)


def module_of(test: str) -> str:
    return test.partition("::")[0]


def _reasons(said: Path) -> Mapping[str, int]:
    if not said.exists():
        return {}
    document = json.loads(said.read_text(encoding="utf-8"))
    found: dict[str, int] = {}
    if document["everything"]:
        found[f"everything: {document['everything']}"] = len(document["tests"])
    for test in document["tests"]:
        if test["selected"]:
            found[test["reason"]] = found.get(test["reason"], 0) + 1
    return found
