"""A series of commits, one after the other, as in life: which share of the tests does each select?

    python benchmarks/replay.py --cache FOLDER marshmallow=CLONE [--commits 50] [--peers ...]

Takes local git clones, and of each the newest commits of the first-parent history. At the oldest
one everything is recorded. At each later one a selector runs what it takes the commit to affect,
and records that; what it knew before it keeps. A full run at each commit tells how many tests there
are, how long they take, and which change their outcome; of these, those that are not selected are
missed. New tests count if they fail, for some ids are others in each run. Prints Markdown.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

from peers import OURS, Answer, Bench, Peer
from truth import RECORDING, SELECTING, Subject, module_of
from undone import INSTALLED, PEERS, cloned

_BASED = {OURS: ("--ciopt-changed=HEAD~1", "--ciopt-record=deps")}


@dataclass(frozen=True, slots=True)
class Step:
    """One commit."""

    tests: float
    """Share of the tests that was selected."""
    seconds: float
    """Share of their seconds, as the full run has them."""
    cpu: float
    """Of the full run."""
    missed: frozenset[str]


def main() -> None:
    """Replays the clones asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clones", nargs="+", metavar="NAME=CLONE")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--commits", type=int, default=50)
    parser.add_argument("--peers", nargs="+", choices=tuple(PEERS), default=tuple(PEERS))
    options = parser.parse_args()
    bench = Bench(options.cache.resolve(), INSTALLED)
    heads = ("project", "commits", "selector", "missed", "tests, mean", "median")
    more = ("seconds of tests, mean", "CPU of the full run, mean", "select nothing", "everything")
    print(f"| {' | '.join((*heads, *more))} |\n{'|---' * 10}|", flush=True)
    for item in options.clones:
        name, _, clone = item.partition("=")
        folder = options.cache.resolve() / "replay"
        subject, _ = cloned(bench, name, Path(clone).resolve(), folder)
        told = _replayed(subject, [PEERS[peer] for peer in options.peers], options.commits)
        for peer, steps in told.items():
            _print(name, peer, steps)


def _replayed(subject: Subject, peers: Sequence[Peer], number: int) -> dict[str, list[Step]]:
    told = subject.git("log", "--first-parent", "--format=%H", "-n", str(number + 1))
    first, *commits = reversed(told.split())
    _go_to(subject, first)
    subject.settle(again=False)
    for peer in peers:
        subject.forget(peer)
        subject.select(peer, *RECORDING[peer])
    found: dict[str, list[Step]] = {peer.name: [] for peer in peers}
    for commit in commits:
        _go_to(subject, commit)
        subject.warm()
        full = subject.full()
        changed = subject.changed(full)
        for peer in peers:
            chosen = subject.select(peer, *_BASED.get(peer, SELECTING[peer]))
            known = {t for t in changed if t in subject.before or t in full.failed}
            step = _step(chosen, full, frozenset(known))
            found[peer.name].append(step)
            _say(commit, peer, step, chosen)
        subject.before = dict(full.outcomes)
    return found


def _go_to(subject: Subject, commit: str) -> None:
    subject.git("reset", "--quiet", "--hard")
    subject.git("checkout", "--quiet", "--force", commit)


def _step(chosen: Answer, full: Answer, changed: frozenset[str]) -> Step:
    whole = sum(full.seconds.values())
    taken = sum(full.seconds.get(test, 0.0) for test in chosen.chosen)
    # A test that is gone is no longer selected by anybody; one in a module that fails is seen.
    owed = {test for test in changed if test in full.outcomes}
    missed = {test for test in owed - chosen.chosen if module_of(test) not in chosen.errors}
    return Step(
        len(chosen.chosen) / max(1, len(full.chosen)),
        taken / whole if whole else 0.0,
        chosen.cost.cpu / full.cost.cpu,
        frozenset(missed),
    )


def _say(commit: str, peer: Peer, step: Step, chosen: Answer) -> None:
    print(
        f"{commit[:9]} {peer.name}: {step.tests:.1%} of the tests,"
        f" {step.seconds:.1%} of their time, {step.cpu:.2f} of the CPU,"
        f" missed {sorted(step.missed)[:3]} {chosen.problem[:200]}",
        file=sys.stderr,
        flush=True,
    )


def _print(name: str, peer: str, steps: Sequence[Step]) -> None:
    cells = (
        *(name, str(len(steps)), peer),
        str(sum(len(step.missed) for step in steps)),
        f"{mean(step.tests for step in steps):.0%}",
        f"{median(step.tests for step in steps):.0%}",
        f"{mean(step.seconds for step in steps):.0%}",
        f"{mean(step.cpu for step in steps):.0%}",
        str(sum(step.tests == 0 for step in steps)),
        str(sum(step.tests >= 1 for step in steps)),
    )
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
