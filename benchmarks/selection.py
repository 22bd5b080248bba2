"""What each selector chooses for the same changes of three real projects, side by side.

    python benchmarks/selection.py --cache FOLDER [--projects flask] [--source flask=PATH]

Sources are pinned source distributions, or local git clones given with --source; a fresh
repository with one commit is made of them in FOLDER, and every change is made in its working tree.
Each selector is installed from the package index into an environment of its own. For each change
the tests are run for real, without a selector, and those that fail because of it count as missed
where a selector did not choose them. Takes some 20 minutes; prints Markdown.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from corpus import committed, unpacked
from cpu import run
from peers import OURS, PEERS, Answer, Bench, Peer, tach_configuration
from projects import PROJECTS, Edit, Project

_OWN_FILES = (".ciopt", ".pytest_cache", ".tach", ".testmondata*", "__pycache__", "*.pyc")


@dataclass(slots=True)
class Result:
    """What one selector did on one project; shares are fractions in [0, 1]."""

    tests: dict[str, float] = field(default_factory=dict)
    """Share of the tests chosen, by kind of change."""
    modules: dict[str, float] = field(default_factory=dict)
    missed: dict[str, int] = field(default_factory=dict)
    cpu: list[float] = field(default_factory=list)
    """Seconds of choosing, collection included."""
    recording: float = 0.0
    problems: dict[str, str] = field(default_factory=dict)


def main() -> None:
    """Compares on the projects asked for."""
    options = _options()
    cache = options.cache.resolve()
    sources = dict(item.split("=", 1) for item in options.source)
    peers = [PEERS[name] for name in options.peers]
    for name in options.projects:
        place = _prepared(PROJECTS[name], cache, sources.get(name))
        _Comparison(Bench(cache), PROJECTS[name], place, peers).show()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cache", type=Path, required=True, help="folder for downloads")
    parser.add_argument("--projects", nargs="+", choices=tuple(PROJECTS), default=tuple(PROJECTS))
    parser.add_argument("--peers", nargs="+", choices=tuple(PEERS), default=tuple(PEERS))
    parser.add_argument("--source", action="append", default=[], metavar="PROJECT=CLONE")
    return parser.parse_args()


def _prepared(project: Project, cache: Path, clone: str | None) -> Path:
    """A repository of one commit, made anew."""
    place = cache / "projects" / project.package.name
    shutil.rmtree(place, ignore_errors=True)
    if clone is None:
        shutil.copytree(unpacked(project.package, cache), place, symlinks=True)
    else:
        subprocess.run(["git", "clone", "--quiet", "--depth=1", clone, place], check=True)
        shutil.rmtree(place / ".git")
    (place / "tach.toml").write_text(tach_configuration(project))
    committed(place, "base")
    (place / ".git" / "info" / "exclude").write_text("\n".join(_OWN_FILES) + "\n")
    return place


class _Comparison:
    """All selectors on all changes of one project."""

    def __init__(self, bench: Bench, project: Project, place: Path, peers: Sequence[Peer]) -> None:
        self._bench, self._project, self._place = bench, project, place
        self._results = {peer: Result() for peer in peers}
        plain = Peer(OURS.name, OURS.requirements, ())
        self._plain = plain
        self._kept = place.with_name(place.name + "-recorded")
        bench.asked(plain, project, place)  # bytecode
        self._whole = bench.asked(plain, project, place)
        self._usual = bench.pytest(plain, project, place, *project.subset)
        self._decision: list[float] = []

    def show(self) -> None:
        """Measures, and prints the tables of the project."""
        for peer in self._results:
            if peer.records:
                self._record(peer)
        for edit in self._project.edits:
            print(f"{self._project.package.name}: {edit.kind}", file=sys.stderr)
            self._change(edit)
        print(f"\n### {self._project.package.folder}\n")
        self._print_choices()
        self._print_costs()

    def _record(self, peer: Peer) -> None:
        answer = self._bench.pytest(
            peer, self._project, self._place, *peer.records, *self._project.subset
        )
        self._results[peer].recording = answer.cost.cpu / self._usual.cost.cpu
        if answer.problem:
            self._results[peer].problems["recording"] = answer.problem
        shutil.rmtree(self._kept, ignore_errors=True)
        self._kept.mkdir(parents=True)
        for file in self._place.glob(".testmondata*"):
            shutil.copy(file, self._kept)

    def _change(self, edit: Edit) -> None:
        edit.apply(self._place)
        self._git("add", "-A")  # some look at what git tracks only
        broken = self._broken() if edit.breaks else frozenset()
        for peer, result in self._results.items():
            paths = self._project.subset if peer.records else ()
            if peer.records:
                shutil.copytree(self._kept, self._place, dirs_exist_ok=True)
            answer = self._bench.asked(peer, self._project, self._place, *paths)
            self._note(result, edit, answer, broken, bool(peer.records))
        self._decide()
        self._git("reset", "--quiet", "--hard")

    def _broken(self) -> frozenset[str]:
        run = self._bench.pytest(self._plain, self._project, self._place, *self._project.subset)
        return run.failed - self._usual.failed

    def _note(
        self, result: Result, edit: Edit, answer: Answer, broken: frozenset[str], part: bool
    ) -> None:
        if answer.problem:
            result.problems[edit.kind] = answer.problem
            return
        known = self._usual.chosen if part else self._whole.chosen
        result.tests[edit.kind] = len(answer.chosen & known) / len(known)
        result.modules[edit.kind] = len(_modules(answer.chosen & known)) / len(_modules(known))
        result.missed[edit.kind] = sum(not _noticed(test, answer.seen) for test in broken)
        result.cpu.append(answer.cost.cpu)

    def _decide(self) -> None:
        ciopt = self._bench.tool(OURS, "ciopt")
        probe = self._place / "unused"
        environ = self._bench.environ(OURS, self._project, self._place, probe)
        self._decision.append(
            median(
                run([ciopt, "select", "--base", "HEAD"], self._place, environ).cpu for _ in range(3)
            )
        )

    def _git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self._place, check=True)

    def _print_choices(self) -> None:
        print(f"| change | {' | '.join(peer.name for peer in self._results)} |")
        print("|---" * (len(self._results) + 1) + "|")
        for edit in self._project.edits:
            cells = [_cell(result, edit.kind) for result in self._results.values()]
            print(f"| {edit.kind} | {' | '.join(cells)} |")
        cells = [_middle(result) for result in self._results.values()]
        print(f"| **median; missed in all** | {' | '.join(cells)} |")

    def _print_costs(self) -> None:
        whole, usual = self._whole, self._usual
        print(
            f"\n{len(whole.chosen):,} tests in {len(_modules(whole.chosen)):,} modules;"
            f" {len(usual.chosen):,} in {len(_modules(usual.chosen)):,} modules are run"
            f" ({' '.join(self._project.subset)}). Choosing and collecting, as a multiple of"
            f" plain collection ({whole.cost.cpu:.1f} s CPU):"
        )
        for peer, result in self._results.items():
            base = whole.cost.cpu
            said = f"{median(result.cpu) / base:.2f}x" if result.cpu else "never worked"
            if peer is OURS:
                said += f"; `ciopt select` alone {median(self._decision):.2f} s"
            if peer.records:
                said += f" (of the part only); recording {result.recording:.2f}x a plain run"
            print(f"- {peer.name}: {said}")
            for problem in sorted(set(result.problems.values())):
                kinds = [kind for kind, text in result.problems.items() if text == problem]
                print(f"  - fails ({', '.join(kinds)}): {problem[:160]}")


def _modules(tests: frozenset[str]) -> set[str]:
    return {test.partition("::")[0] for test in tests}


def _noticed(test: str, seen: frozenset[str]) -> bool:
    """A module that cannot be collected is noticed if any of it is chosen."""
    return test in seen or ("::" not in test and test in _modules(seen))


def _cell(result: Result, kind: str) -> str:
    if kind in result.problems:
        return "fails"
    missed = f", **misses {result.missed[kind]}**" if result.missed[kind] else ""
    return f"{result.modules[kind]:.0%} / {result.tests[kind]:.0%}{missed}"


def _middle(result: Result) -> str:
    if not result.tests:
        return "-"
    middles = f"{median(result.modules.values()):.0%} / {median(result.tests.values()):.0%}"
    return f"{middles}; {sum(result.missed.values())}"


if __name__ == "__main__":
    main()
