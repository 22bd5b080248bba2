"""Real commits undone: are the tests selected that then fail, and what does the selection cost?

    python benchmarks/undone.py --cache FOLDER click=CLONE flask=CLONE [--commits 15]

Takes local git clones. Of each the newest commits are taken that change source and tests. At each
one the selectors record a full run; then the source part of the commit is undone in the working
tree, a full run tells which tests change their outcome, and each selector runs what it selects.
Prints Markdown; with --details, one JSON document a commit and selector goes to a file.
"""

import argparse
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

from corpus import Package
from peers import OURS, TESTMON, Bench
from projects import Project
from truth import Subject, Verdict

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
)
"""What the projects need to run their tests; they themselves are hidden by their sources."""
_WORDS: dict[str, tuple[str, ...]] = {
    "attrs": ("tests", "--hypothesis-seed=0"),
    "marshmallow": ("tests", "-p", "no:warnings"),
}
"""What pytest is called with where it is not `tests`."""
_SOURCES = {"attrs": "src", "jinja": "src/jinja2"}
_PEERS = (OURS, TESTMON)


@dataclass(frozen=True, slots=True)
class Undone:
    """One commit without its source part."""

    commit: str
    truth: frozenset[str]
    full: float
    """CPU seconds of the full run."""
    recording: dict[str, float]
    """As a multiple of a plain run."""
    verdicts: dict[str, Verdict]


def main() -> None:
    """Undoes commits of the clones asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clones", nargs="+", metavar="NAME=CLONE")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--commits", type=int, default=15)
    parser.add_argument("--details", type=Path)
    options = parser.parse_args()
    bench = Bench(options.cache.resolve(), INSTALLED)
    _print_head()
    for item in options.clones:
        name, _, clone = item.partition("=")
        _print(name, _undo(bench, name, Path(clone).resolve(), options))


def _undo(bench: Bench, name: str, clone: Path, options: argparse.Namespace) -> list[Undone]:
    place = options.cache.resolve() / "undone" / name
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "clone", "--quiet", clone, place], check=True)
    source = _SOURCES.get(name, f"src/{name}")
    project = Project(Package(name, ""), source, "tests", ("tests",), ())
    subject = Subject(bench, project, place, _WORDS.get(name, ("tests",)))
    found: list[Undone] = []
    for commit in _commits(subject, source):
        if len(found) == options.commits:
            break
        undone = _undone(subject, commit, source)
        if undone is not None:
            found.append(undone)
            _keep(options.details, name, undone)
    return found


def _commits(subject: Subject, source: str) -> list[str]:
    """Newest commits first that change Python files of source and tests."""
    told = subject.git("log", "--no-merges", "--format=%H", "-n", "2000", "--", source)
    return [
        c for c in told.split() if _changes(subject, c, source) and _changes(subject, c, "tests")
    ]


def _changes(subject: Subject, commit: str, folder: str) -> list[str]:
    told = subject.git("diff", "--name-only", "--no-renames", f"{commit}^", commit, "--", folder)
    return [path for path in told.splitlines() if path.endswith(".py")]


def _undone(subject: Subject, commit: str, source: str) -> Undone | None:
    """None for a commit at which the tests cannot be run."""
    subject.git("reset", "--quiet", "--hard")
    subject.git("checkout", "--quiet", "--force", commit)
    settled = subject.settle(again=False)
    if settled.problem or not settled.outcomes:
        print(f"{commit[:9]}: {settled.problem}", file=sys.stderr)
        return None
    recording = {peer.name: subject.record(peer).cost.cpu / settled.cost.cpu for peer in _PEERS}
    for path in _changes(subject, commit, source):
        if subject.git("ls-tree", f"{commit}^", "--", path):
            subject.git("checkout", f"{commit}^", "--", path)
        else:
            subject.git("rm", "--quiet", "--force", "--", path)
    now = subject.full()
    truth = subject.changed(now)
    verdicts = {peer.name: subject.ask(peer, truth, run=True) for peer in _PEERS}
    if any(verdict.missed for verdict in verdicts.values()):  # some outcomes vary by themselves
        truth &= subject.changed(subject.full())
        verdicts = {name: verdict.of(truth) for name, verdict in verdicts.items()}
    return Undone(commit[:9], truth, now.cost.cpu, recording, verdicts)


def _keep(details: Path | None, name: str, undone: Undone) -> None:
    """One line for people who look into it, and one for the file."""
    for peer, verdict in undone.verdicts.items():
        print(
            f"{name} {undone.commit} {peer}: {len(undone.truth)} changed,"
            f" {len(verdict.missed)} missed, {verdict.share:.1%} selected,"
            f" {verdict.cpu / undone.full:.2f} of the CPU,"
            f" recording {undone.recording[peer]:.2f}x {verdict.problem[:200]}",
            file=sys.stderr,
        )
        if details is not None:
            document = {
                "project": name,
                "commit": undone.commit,
                "selector": peer,
                "truth": sorted(undone.truth),
                "missed": sorted(verdict.missed),
                "share": verdict.share,
                "extra": verdict.extra,
                "cpu": verdict.cpu,
                "full": undone.full,
                "recording": undone.recording[peer],
                "reasons": dict(verdict.reasons),
                "problem": verdict.problem,
            }
            with details.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(document) + "\n")


def _print_head() -> None:
    heads = ("project", "commits", "selector", "changed", "missed", "tests selected, mean")
    more = ("median", "CPU of the full run, mean", "recording, median")
    print(f"| {' | '.join((*heads, *more))} |\n{'|---' * 9}|", flush=True)


def _print(name: str, found: list[Undone]) -> None:
    for peer in _PEERS:
        verdicts = [undone.verdicts[peer.name] for undone in found]
        if not verdicts:
            continue
        cells = (
            name,
            str(len(found)),
            peer.name,
            str(sum(len(undone.truth) for undone in found)),
            str(sum(len(verdict.missed) for verdict in verdicts)),
            f"{mean(verdict.share for verdict in verdicts):.0%}",
            f"{median(verdict.share for verdict in verdicts):.0%}",
            f"{mean(u.verdicts[peer.name].cpu / u.full for u in found):.0%}",
            f"{median(u.recording[peer.name] for u in found):.2f}x",
        )
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
