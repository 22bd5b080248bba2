"""Real commits undone: are the tests selected that then fail, and what does the selection cost?

    python benchmarks/undone.py --cache FOLDER click=CLONE flask=CLONE [--commits 15]

Takes local git clones. Of each the newest commits are taken that change source and tests. At each
one the selectors record a full run; then the source part of the commit is undone in the working
tree, a full run tells which tests change their outcome, and each selector runs what it selects.
Prints Markdown; with --details, one JSON document a commit and selector goes to a file, from which
a later run takes truth and the selectors that are not among its --peers with --known.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

from corpus import Package
from peers import OURS, TESTMON, Bench, Peer
from projects import Project
from truth import Details, Subject, Verdict

INSTALLED = (
    "pytest==8.4.2",
    "click",
    "flask",
    "asgiref",
    "greenlet",
    "python-dotenv",
    "attrs",
    "hypothesis",
    "cloudpickle",
    "pympler",
    "marshmallow",
    "pytz",
    "simplejson",
    "trio",
    "typing-extensions",
)
"""What the projects need to run their tests; they themselves are hidden by their sources."""
_WORDS: dict[str, tuple[str, ...]] = {
    "attrs": ("tests", "--hypothesis-seed=0"),
    "marshmallow": ("tests", "-p", "no:warnings"),
}
"""What pytest is called with where it is not `tests`."""
_SOURCES = {"attrs": "src", "jinja": "src/jinja2"}
PEERS = {peer.name: peer for peer in (OURS, TESTMON)}


@dataclass(frozen=True, slots=True)
class Undone:
    """One commit without its source part."""

    commit: str
    truth: frozenset[str]
    full: dict[str, float]
    """CPU seconds of the full run that a selector is compared with."""
    recording: dict[str, float]
    """As a multiple of a plain run."""
    verdicts: dict[str, Verdict]

    def add(self, known: Mapping[str, Any]) -> None:
        """Takes selectors that were not asked from an earlier run."""
        for name in known.keys() - self.verdicts.keys():
            self.verdicts[name] = Verdict.read(known[name])
            self.full[name] = known[name]["full"]
            self.recording[name] = known[name]["recording"]


def main() -> None:
    """Undoes commits of the clones asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clones", nargs="+", metavar="NAME=CLONE")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--commits", type=int, default=15)
    parser.add_argument("--details", type=Path, help="file for one JSON document a line")
    parser.add_argument("--known", type=Path, help="details of an earlier run, for the same clones")
    parser.add_argument("--peers", nargs="+", choices=tuple(PEERS), default=tuple(PEERS))
    options = parser.parse_args()
    bench = Bench(options.cache.resolve(), INSTALLED)
    _print_head()
    for item in options.clones:
        name, _, clone = item.partition("=")
        _print(name, _undo(bench, name, Path(clone).resolve(), options))


def _undo(bench: Bench, name: str, clone: Path, options: argparse.Namespace) -> list[Undone]:
    subject, source = cloned(bench, name, clone, options.cache.resolve() / "undone")
    found: list[Undone] = []
    details = Details(options.details, options.known)
    asked = [PEERS[peer] for peer in options.peers]
    for commit in _commits(subject, source):
        if len(found) == options.commits:
            break
        undone = _undone(subject, commit, source, asked)
        if undone is not None:
            found.append(undone)
            _keep(details, name, undone)
            undone.add(details.known(name, undone.commit))
    return found


def cloned(bench: Bench, name: str, clone: Path, folder: Path) -> tuple[Subject, str]:
    """A clone of a project in a folder, and where its sources are."""
    place = folder / name
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "clone", "--quiet", clone, place], check=True)
    source = _SOURCES.get(name, f"src/{name}")
    project = Project(Package(name, ""), source, "tests", ("tests",), ())
    return Subject(bench, project, place, _WORDS.get(name, ("tests",))), source


def _commits(subject: Subject, source: str) -> list[str]:
    """Newest commits first that change Python files of source and tests."""
    told = subject.git("log", "--no-merges", "--format=%H", "-n", "2000", "--", source)
    return [
        c for c in told.split() if _changes(subject, c, source) and _changes(subject, c, "tests")
    ]


def _changes(subject: Subject, commit: str, folder: str) -> list[str]:
    told = subject.git("diff", "--name-only", "--no-renames", f"{commit}^", commit, "--", folder)
    return [path for path in told.splitlines() if path.endswith(".py")]


def _undone(subject: Subject, commit: str, source: str, peers: list[Peer]) -> Undone | None:
    """None for a commit at which the tests cannot be run."""
    subject.git("reset", "--quiet", "--hard")
    subject.git("checkout", "--quiet", "--force", commit)
    settled = subject.settle(again=False)
    if settled.problem or not settled.outcomes:
        print(f"{commit[:9]}: {settled.problem}", file=sys.stderr)
        return None
    recording = {peer.name: subject.record(peer).cost.cpu / settled.cost.cpu for peer in peers}
    for path in _changes(subject, commit, source):
        if subject.git("ls-tree", f"{commit}^", "--", path):
            subject.git("checkout", f"{commit}^", "--", path)
        else:
            subject.git("rm", "--quiet", "--force", "--", path)
    subject.warm()
    now = subject.full()
    truth = subject.changed(now)
    verdicts = {peer.name: subject.ask(peer, truth, run=True) for peer in peers}
    if any(verdict.missed for verdict in verdicts.values()):  # some outcomes vary by themselves
        truth &= subject.changed(subject.full())
        verdicts = {name: verdict.of(truth) for name, verdict in verdicts.items()}
    full = dict.fromkeys(verdicts, now.cost.cpu)
    return Undone(commit[:9], truth, full, recording, verdicts)


def _keep(details: Details, name: str, undone: Undone) -> None:
    """One line for people who look into it, and one for the file."""
    for peer, verdict in undone.verdicts.items():
        print(
            f"{name} {undone.commit} {peer}: {len(undone.truth)} changed,"
            f" {len(verdict.missed)} missed, {verdict.share:.1%} selected,"
            f" {verdict.cpu / undone.full[peer]:.2f} of the CPU,"
            f" recording {undone.recording[peer]:.2f}x {verdict.problem[:200]}",
            file=sys.stderr,
            flush=True,
        )
        document = {
            "project": name,
            "change": undone.commit,
            "selector": peer,
            "truth": sorted(undone.truth),
            "full": undone.full[peer],
            "recording": undone.recording[peer],
        }
        details.write({**document, **verdict.document()})


def _print_head() -> None:
    heads = ("project", "commits", "selector", "changed", "missed", "tests selected, mean")
    more = ("median", "CPU of the full run, mean", "recording, median")
    print(f"| {' | '.join((*heads, *more))} |\n{'|---' * 9}|", flush=True)


def _print(name: str, found: list[Undone]) -> None:
    for peer in PEERS.values():
        verdicts = [u.verdicts[peer.name] for u in found if peer.name in u.verdicts]
        if not verdicts:
            continue
        those = [u for u in found if peer.name in u.verdicts]
        cells = (
            name,
            str(len(those)),
            peer.name,
            str(sum(len(undone.truth) for undone in those)),
            str(sum(len(verdict.missed) for verdict in verdicts)),
            f"{mean(verdict.share for verdict in verdicts):.0%}",
            f"{median(verdict.share for verdict in verdicts):.0%}",
            f"{mean(u.verdicts[peer.name].cpu / u.full[peer.name] for u in those):.0%}",
            f"{median(u.recording[peer.name] for u in those):.2f}x",
        )
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
