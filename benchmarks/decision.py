"""What a decision costs: `ciopt select` with one edited module, cold and warm, beside its peers.

    python benchmarks/decision.py --cache FOLDER [--sizes 700 10000] [--rounds 5] [--grimp]

Run it with the Python of an environment that has pytest-ciopt and ruff (and grimp). The corpus is
downloaded into FOLDER the first time (some 250 MB for all sizes); later runs take a few minutes.
Prints Markdown. The exit code is 1 when a target is missed, unless `--report` is given.

Cold means without the stored index, but with files in the page cache of the system and Python's
bytecode in place; warm means after another edit of the same module, which imports what it did
before; *searched* is a warm decision that has to search the stored index, as after an edit of
another module. `ruff analyze graph` is given the easiest task that can be compared: every file, its
import roots named, no configuration files looked at, strings not searched; it does not add the
packages above a module, we do.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median

from corpus import SIZES, Package, python_files, repository, roots, unpacked
from cpu import Contender, Cost, environment, in_turns, middle

COLD, WARM, MEMORY = 0.2, 0.2, 150
"""Targets: seconds per 1,000 files, seconds at 10,000 files, megabytes at 20,000 files."""

_SELECT = ("select", "--base", "HEAD")
_SHARE = """
import resource, sys
from pytest_ciopt.cli.main import main
main(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, file=sys.stderr)
"""
_GRIMP = """
import sys, grimp
sys.path[:0] = sys.argv[1].split(":")
grimp.build_graph(*sys.argv[2].split(","), cache_dir=None)
"""


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one size."""

    size: str
    files: int
    python: Cost
    cold: Cost
    warm: Cost
    searched: Cost
    git: float
    """Seconds of git's processes in a warm decision."""
    ruff: Cost
    grimp: Cost | None
    said: str

    @property
    def per_thousand(self) -> float:
        """Seconds of a cold decision per 1,000 files."""
        return self.cold.cpu / self.files * 1000

    def misses(self) -> list[str]:
        """Targets that are missed."""
        wrong = []
        if self.per_thousand > COLD:
            wrong.append(f"cold: {self.per_thousand:.3f} s per 1,000 files > {COLD}")
        if self.cold.cpu >= self.ruff.cpu:
            wrong.append(f"cold: {self.cold.cpu:.2f} s >= {self.ruff.cpu:.2f} s of ruff")
        if self.size == "10000" and self.warm.cpu > WARM:
            wrong.append(f"warm: {self.warm.cpu:.3f} s > {WARM}")
        peak = max(self.cold.peak, self.warm.peak)
        if self.size == "20000" and peak >= MEMORY:
            wrong.append(f"memory: {peak:.0f} MB >= {MEMORY}")
        return [f"{self.files:,} files, {text}" for text in wrong]


def main() -> int:
    """Measures the sizes asked for."""
    options = _options()
    cache = options.cache.resolve()
    print("| Python files | " + " | ".join(_HEADINGS) + " |")
    print("|---" * (len(_HEADINGS) + 1) + "|")
    rows = []
    for size in options.sizes:
        rows.append(_measured(size, cache, options.rounds, options.grimp))
        print(_line(rows[-1]), flush=True)
    misses = [text for row in rows for text in row.misses()]
    load = os.getloadavg()[0]
    print(f"\nMedians of {options.rounds} runs, taken in turns; load average {load:.1f}.")
    print("\n".join(f"- target missed: {text}" for text in misses) or "All targets are met.")
    for row in rows:
        print(f"- {row.files:,} files said: {row.said}", file=sys.stderr)
    return 1 if misses and not options.report else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cache", type=Path, required=True, help="folder for downloads")
    parser.add_argument("--sizes", nargs="+", choices=tuple(SIZES), default=tuple(SIZES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--grimp", action="store_true", help="measure grimp, too")
    parser.add_argument("--report", action="store_true", help="exit 0 whatever the figures are")
    return parser.parse_args()


def _measured(size: str, cache: Path, rounds: int, with_grimp: bool) -> Row:
    packages = SIZES[size]
    place = repository(size, cache)
    environ = environment(cache)
    _edit(place, packages[0], cache)
    subprocess.run(["git", "status"], cwd=place, env=environ, capture_output=True, check=True)
    edits = count()
    contenders = {
        "python": Contender([sys.executable, "-c", "pass"]),
        "cold": Contender([_tool("ciopt"), *_SELECT], lambda: _forget(place)),
        "searched": Contender([_tool("ciopt"), *_SELECT], lambda: _forget_answers(place)),
        "warm": Contender(
            [_tool("ciopt"), *_SELECT], lambda: _edit(place, packages[0], cache, next(edits))
        ),
        "share": Contender([sys.executable, "-c", _SHARE, *_SELECT]),
        "ruff": Contender(_ruff(packages)),
    }
    if with_grimp and all(package.imports for package in packages):
        contenders["grimp"] = Contender(_grimp(packages))
    in_turns(contenders, 1, place, environ)  # bytecode and the page cache
    runs = in_turns(contenders, rounds, place, environ)
    costs = {name: middle(found) for name, found in runs.items()}
    said = costs["warm"].told.strip().splitlines()
    return Row(
        size,
        python_files(place),
        costs["python"],
        costs["cold"],
        costs["warm"],
        costs["searched"],
        median(float(run.told.splitlines()[-1]) for run in runs["share"]),
        costs["ruff"],
        costs.get("grimp"),
        said[0] if said else "nothing",
    )


def _edit(place: Path, package: Package, cache: Path, number: int = 0) -> None:
    """Leaves one edited module. Its hard links keep the old content."""
    target = place / package.folder / package.hub
    edited = (unpacked(package, cache) / package.hub).read_bytes() + b"\n\nEDITED = %d\n" % number
    if target.read_bytes() != edited:
        fresh = target.with_suffix(".part")
        fresh.write_bytes(edited)
        fresh.replace(target)


def _forget(place: Path) -> None:
    shutil.rmtree(place / ".ciopt", ignore_errors=True)


def _forget_answers(place: Path) -> None:
    """What the search found before is forgotten, the index is not."""
    for kept in (place / ".ciopt" / "cache").glob("search-*"):
        kept.unlink()


def _ruff(packages: Sequence[Package]) -> list[str]:
    src = json.dumps(roots(packages))
    settings = ("--isolated", "--config", "exclude=[]", "--config", f"src={src}")
    return [_tool("ruff"), "analyze", "graph", *settings]


def _grimp(packages: Sequence[Package]) -> list[str]:
    names = ",".join(package.imports for package in packages)
    return [sys.executable, "-c", _GRIMP, ":".join(roots(packages)), names]


def _tool(name: str) -> str:
    """A command of the environment that runs this script."""
    return str(Path(sys.executable).with_name(name))


_HEADINGS = (
    "cold, s",
    "per 1,000",
    "of ruff",
    "ruff, s",
    "grimp, s",
    "warm, s",
    "searched, s",
    "of it git",
    "empty Python",
    "peak cold, MB",
    "peak warm, MB",
    "ruff, MB",
)


def _line(row: Row) -> str:
    cells = (
        f"{row.files:,}",
        f"{row.cold.cpu:.2f}",
        f"{row.per_thousand:.3f}",
        f"{row.cold.cpu / row.ruff.cpu:.2f}x",
        f"{row.ruff.cpu:.2f}",
        f"{row.grimp.cpu:.2f}" if row.grimp else "-",
        f"{row.warm.cpu:.3f}",
        f"{row.searched.cpu:.3f}",
        f"{row.git:.3f}",
        f"{row.python.cpu:.3f}",
        f"{row.cold.peak:.0f}",
        f"{row.warm.peak:.0f}",
        f"{row.ruff.peak:.0f}",
    )
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    raise SystemExit(main())
