"""Mutants of real projects: are the tests selected that fail of them, and how many others?

    python benchmarks/mutants.py --cache FOLDER [--projects flask networkx] [--mutants 40]

Sources are pinned source distributions. Of each a repository with one commit is made, in which the
selectors record one full run. Then one definition after the other is changed, chosen by a fixed
seed among the modules that much imports, all modules, and what tests share. A full run tells which
tests change their outcome; each selector, with the records of the first run, is asked what it
selects. Prints Markdown; with --details, one JSON document a mutant and selector goes to a file,
from which a later run takes truth and the selectors that are not among its --peers with --known.
"""

import argparse
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import mean, median

from corpus import Package, committed, unpacked
from mutations import BODIES, KINDS, Mutation, mutation, write
from peers import OURS, TESTMON, Bench
from projects import Project
from truth import Details, Subject, Verdict
from undone import INSTALLED

PEERS = {peer.name: peer for peer in (OURS, TESTMON)}
_TEST_FILE = re.compile(r"(.*/)?(test_[^/]*|[^/]*_test)\.py")


@dataclass(frozen=True, slots=True)
class Target:
    """A project, and where its mutants lie."""

    project: Project
    sources: tuple[str, ...]
    """Globs of the modules that mutants are made of."""
    helpers: tuple[str, ...]
    """Globs of the Python files that tests share."""
    words: tuple[str, ...]
    """What pytest is called with."""


def _target(
    name: str,
    version: str,
    module: str,
    sources: tuple[str, ...],
    helpers: tuple[str, ...] = ("tests/**/*.py",),
    words: tuple[str, ...] = ("tests",),
) -> Target:
    project = Project(Package(name, version), module, "tests", ("tests",), ())
    return Target(project, sources, helpers, words)


TARGETS = {
    "flask": _target("flask", "3.1.0", "src/flask", ("src/flask/**/*.py",)),
    "attrs": _target(
        "attrs", "24.3.0", "src", ("src/**/*.py",), words=("tests", "--hypothesis-seed=0")
    ),
    "marshmallow": _target(
        "marshmallow", "3.23.2", "src/marshmallow", ("src/marshmallow/**/*.py",)
    ),
    "networkx": _target(
        "networkx",
        "3.4.2",
        "networkx",
        (
            "networkx/classes/*.py",
            "networkx/utils/*.py",
            "networkx/convert.py",
            "networkx/relabel.py",
            "networkx/algorithms/*.py",
            "networkx/algorithms/traversal/*.py",
            "networkx/algorithms/components/*.py",
        ),
        ("networkx/conftest.py", "networkx/classes/tests/*.py", "networkx/utils/tests/*.py"),
        (
            "networkx/classes",
            "networkx/utils",
            "networkx/algorithms/traversal",
            "networkx/algorithms/components",
            "networkx/algorithms/tests/test_cycles.py",
            "networkx/algorithms/tests/test_dag.py",
            "networkx/algorithms/tests/test_cluster.py",
            "networkx/algorithms/tests/test_core.py",
            "networkx/tests/test_convert.py",
            "networkx/tests/test_relabel.py",
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mutation, and what came of it."""

    path: str
    place: str
    mutation: Mutation
    truth: frozenset[str]
    verdicts: dict[str, Verdict]


def main() -> None:
    """Makes mutants of the projects asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--projects", nargs="+", choices=tuple(TARGETS), default=tuple(TARGETS))
    parser.add_argument("--mutants", type=int, default=40)
    parser.add_argument("--only", type=int, nargs="+", help="numbers of mutants")
    parser.add_argument("--details", type=Path, help="file for one JSON document a line")
    parser.add_argument(
        "--known", type=Path, help="details of an earlier run, for the same sources"
    )
    parser.add_argument("--peers", nargs="+", choices=tuple(PEERS), default=tuple(PEERS))
    options = parser.parse_args()
    cache = options.cache.resolve()
    bench = Bench(cache, INSTALLED)
    heads = ("project", "mutants", "selector", "changed", "missed", "selected", "of them extra")
    more = ("bodies: selected, median", "extra, median", "CPU s, median", "recording")
    print(f"| {' | '.join((*heads, *more))} |\n{'|---' * 11}|", flush=True)
    for name in options.projects:
        _Mutants(bench, name, cache, options).run()


class _Mutants:
    def __init__(self, bench: Bench, name: str, cache: Path, options: argparse.Namespace) -> None:
        self._target, self._options = TARGETS[name], options
        self._name = name
        self._details = Details(options.details, options.known)
        self._asked = [PEERS[peer] for peer in options.peers]
        self._place = cache / "mutants" / name
        shutil.rmtree(self._place, ignore_errors=True)
        shutil.copytree(unpacked(self._target.project.package, cache), self._place, symlinks=True)
        committed(self._place, "base")
        project, words = self._target.project, self._target.words
        self._subject = Subject(bench, project, self._place, words)
        listed = subprocess.run(
            ["git", "ls-files", "*.py"], cwd=self._place, check=True, capture_output=True, text=True
        )
        files = listed.stdout.splitlines()
        tests = {path for path in files if _TEST_FILE.fullmatch(path)}
        helpers = _matching(self._place, self._target.helpers) & {*files}
        sources = (_matching(self._place, self._target.sources) & {*files}) - tests - helpers
        by_use = sorted(sources, key=lambda path: (-self._uses(path, files), path))
        self._places = {
            "hub": by_use[: max(1, len(by_use) // 4)],
            "any": sorted(sources),
            "shared by tests": sorted(helpers - tests),
            "test module": sorted(helpers & tests),
        }

    def _uses(self, path: str, files: list[str]) -> int:
        """How many files mention a module."""
        part = path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2].encode()
        return sum(part in (self._place / one).read_bytes() for one in files)

    def run(self) -> None:
        """Measures and prints."""
        settled = self._subject.settle()
        recording = {}
        for peer in self._asked:
            answer = self._subject.record(peer)
            recording[peer.name] = answer.cost.cpu / settled.cost.cpu
            _say(f"{self._name}: {peer.name} {recording[peer.name]:.2f}x {answer.problem}")
        wanted = self._options.only or range(self._options.mutants)
        found = [mutant for number in wanted if (mutant := self._mutant(number)) is not None]
        self._print(found, recording)

    def _mutant(self, number: int) -> Mutant | None:
        """The same for the same number."""
        random = Random(f"{self._name} {number}")
        kinds = [kind for kind in KINDS for _ in range(2 if kind in BODIES else 1)]
        for _ in range(200):
            place = random.choice(("hub", "hub", "hub", "any", "any", "shared by tests"))
            if number % 10 == 9:
                place = "test module"
            if not self._places[place]:
                continue
            path = random.choice(self._places[place])
            source = (self._place / path).read_bytes()
            made = mutation(source, random.choice(kinds), random)
            if made is not None:
                return self._tried(number, path, place, made, source)
        return None

    def _tried(
        self, number: int, path: str, place: str, made: Mutation, source: bytes
    ) -> Mutant | None:
        subject = self._subject
        known = self._details.known(self._name, f"{number} {made.kind} {path} {made.name}")
        write(self._place / path, made.applied(source))
        if known:
            told = next(iter(known.values()))
            truth, subject.broken = frozenset(told["truth"]), told["broken"]
        else:
            truth = subject.changed(subject.full())
        old = {name: one for name, one in known.items() if name not in self._options.peers}
        peers = [PEERS[name] for name in PEERS if name in old or name in self._options.peers]
        verdicts = {peer.name: subject.verdict(peer, truth, old) for peer in peers}
        if any(verdicts[peer].missed for peer in self._options.peers):
            truth &= subject.changed(subject.full())
            verdicts = {name: verdict.of(truth) for name, verdict in verdicts.items()}
        write(self._place / path, source)
        mutant = Mutant(path, place, made, truth, verdicts)
        self._keep(number, mutant)
        return mutant

    def _keep(self, number: int, mutant: Mutant) -> None:
        made = mutant.mutation
        for peer, verdict in mutant.verdicts.items():
            _say(
                f"{self._name} {number} {made.kind}, {mutant.path} {made.name} {peer}:"
                f" {len(mutant.truth)} changed, {len(verdict.missed)} missed,"
                f" {len(verdict.chosen)} selected, {verdict.cpu:.1f} s {verdict.problem[:150]}"
            )
            document = {
                "project": self._name,
                "change": f"{number} {made.kind} {mutant.path} {made.name}",
                "place": mutant.place,
                "selector": peer,
                "truth": sorted(mutant.truth),
                "broken": self._subject.broken,
            }
            self._details.write({**document, **verdict.document()})

    def _print(self, found: list[Mutant], recording: dict[str, float]) -> None:
        tests = len(self._subject.before)
        bodies = [mutant for mutant in found if mutant.mutation.kind in BODIES]
        for peer in PEERS.values():
            verdicts = [m.verdicts[peer.name] for m in found if peer.name in m.verdicts]
            inside = [m.verdicts[peer.name] for m in bodies if peer.name in m.verdicts]
            if not verdicts:
                continue
            cells = (
                f"{self._name}, {tests:,} tests",
                str(len(verdicts)),
                peer.name,
                str(sum(len(mutant.truth) for mutant in found)),
                str(sum(len(verdict.missed) for verdict in verdicts)),
                f"{mean(verdict.share for verdict in verdicts):.1%}",
                f"{mean(verdict.extra for verdict in verdicts) / tests:.1%}",
                f"{median(verdict.share for verdict in inside):.1%}",
                f"{median(verdict.extra for verdict in inside) / tests:.1%}",
                f"{median(verdict.cpu for verdict in verdicts):.2f}",
                f"{recording[peer.name]:.2f}x" if peer.name in recording else "",
            )
            print(f"| {' | '.join(cells)} |", flush=True)


def _matching(place: Path, globs: tuple[str, ...]) -> set[str]:
    return {path.relative_to(place).as_posix() for one in globs for path in place.glob(one)}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
