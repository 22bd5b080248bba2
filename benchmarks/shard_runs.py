"""What shards of a real project cost: ours beside pytest-split, in processes of their own.

    python benchmarks/shard_runs.py FOLDER [--shards 2 4] -- ARGUMENTS OF PYTEST

FOLDER is a git clone of a project whose tests this interpreter can run; it needs pytest-split
besides ours. A full run is recorded for each, then every shard runs. Prints Markdown: CPU seconds
of all shards together and of the slowest one, and how many tests they ran and skipped.
"""

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PLAN, DURATIONS = "ciopt-plan.json", ".test_durations"
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
SPLITS = ("least_duration", "duration_based_chunks")
COUNTED = re.compile(r"(\d+) (passed|failed|skipped|xfailed|xpassed|error)")


@dataclass(frozen=True, slots=True)
class Ran:
    """One process."""

    seconds: float
    """CPU, its children included."""
    tests: int


def run(folder: Path, *command: str) -> Ran:
    """Raises: RuntimeError when the tests could not be run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environ = {**os.environ, "PYTHONPATH": str(folder), "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
    return Ran(seconds, sum(int(number) for number, _ in COUNTED.findall(last)))


def ours(folder: Path, shards: int, words: Sequence[str]) -> list[Ran]:
    """By a plan from what was recorded."""
    plan = (str(Path(sys.executable).with_name("ciopt")), "plan", "--shards", str(shards))
    environ = {**os.environ, "PYTHONPATH": str(folder)}
    subprocess.run((*plan, "--", *words), cwd=folder, env=environ, check=True, capture_output=True)
    known = json.loads((folder / PLAN).read_text())
    assert known["made_from"] == "history"
    flags = (f"--ciopt-plan={PLAN}", "--ciopt-record=off")
    return [
        run(folder, *PYTEST, *flags, f"--ciopt-shard={number}/{shards}", *words)
        for number in range(1, shards + 1)
    ]


def split(folder: Path, shards: int, words: Sequence[str], algorithm: str) -> list[Ran]:
    """By pytest-split."""
    flags = ("-p", "no:ciopt", f"--splits={shards}", f"--splitting-algorithm={algorithm}")
    return [
        run(folder, *PYTEST, *flags, f"--group={number}", *words) for number in range(1, shards + 1)
    ]


def rows(folder: Path, several: Sequence[int], words: Sequence[str]) -> Iterator[str]:
    """The lines of the table."""
    shutil.rmtree(folder / ".ciopt", ignore_errors=True)
    (folder / DURATIONS).unlink(missing_ok=True)
    plain = run(folder, *PYTEST, "-p", "no:ciopt", *words)
    run(folder, *PYTEST, "-p", "no:ciopt", "--store-durations", *words)
    run(folder, *PYTEST, "--ciopt-record=results", *words)
    yield f"| all in one | 1 | {plain.seconds:.1f} | {plain.seconds:.1f} | {plain.tests:,} |"
    for shards in several:
        ran = {"pytest-ciopt": ours(folder, shards, words)}
        ran |= {f"pytest-split, {name}": split(folder, shards, words, name) for name in SPLITS}
        for name, parts in ran.items():
            total, slowest = sum(p.seconds for p in parts), max(p.seconds for p in parts)
            tests = sum(p.tests for p in parts)
            yield f"| {name} | {shards} | {total:.1f} | {slowest:.1f} | {tests:,} |"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shards", type=int, nargs="+", default=[2, 4])
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    print("| division | shards | CPU s of all | of the slowest | tests |\n|---|---|---|---|---|")
    for row in rows(options.folder.resolve(), options.shards, options.words):
        print(row, flush=True)


if __name__ == "__main__":
    main()
