"""How often the gate on benchmarks is wrong, and what it finds, beside pytest-benchmark's own.

    python benchmarks/duet.py --results FILE [--sessions N] [--seconds S]

Two trees of tiny real benchmarks (a loop, JSON, sorting) are measured against each other: most of
them are equal, some do 5 or 10 % more work in the head. In each session pytest-benchmark compares a
run of the head with a stored one of the base (`--benchmark-compare-fail`, mean and min, 5 %), and
then the gate measures the same benchmarks (budget 5 %, duets on the CPU clock). The history is not
asked: everything is a suspect, so that what is found is what the duets find.

A line of JSON a session is added to FILE; started again, it goes on from there. `--table` prints
the Markdown table of a FILE. With 0.05 seconds for each benchmark in each process a session takes
about a minute on an idle core, with 0.3 seconds four. pytest-benchmark itself takes a second.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_ciopt.adapters.duet.kernels import Kernels, kernels
from pytest_ciopt.core.gates.benchmarks import Pair, Step, step, together
from pytest_ciopt.core.gates.budgets import Slowdown
from pytest_ciopt.core.gates.calibration import Tally, tallied
from pytest_ciopt.usecases.duet import raced

NUMBERS = {0: 12, 5: 2, 10: 2}
"""Of each of the three kinds, by percent."""
ROUNDS = "--benchmark-min-rounds=5"
BUDGET = Slowdown(0.05)
_REGRESSED = re.compile(r"^\s*(test_work\[\S+\]) \(\S+\) - Field '(\w+)' has failed", re.MULTILINE)
Session = dict[str, Any]


def session(seconds: float) -> Session:
    """What each rule says of each benchmark, which is given so many seconds in each process."""
    arguments = (ROUNDS, f"--benchmark-max-time={seconds}")
    path = tuple(filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))
    with tempfile.TemporaryDirectory(prefix="duet-") as name:
        folder = Path(name).resolve()
        made = kernels(folder, NUMBERS, arguments, path)
        began = time.monotonic()
        wall, regressed = compared(folder, made, arguments)
        between = time.monotonic()
        found = raced(made.sides, dict.fromkeys(made.percents, BUDGET), wall, lambda line: None)
        ended = time.monotonic()
    duet = {
        test: [one.step.name if one.step else one.why, one.clock, one.duets, _figures(one.effect)]
        for test, one in found.items()
    }
    spent = {"compare": round(between - began, 1), "duet": round(ended - between, 1)}
    return {
        **{"percents": made.percents, "duet": duet, "regressed": regressed},
        **{"seconds": spent, "max_time": seconds},
    }


def _figures(effect: Any) -> list[float] | None:
    if effect is None:
        return None
    return [round(value, 5) for value in (effect.median, effect.low, effect.high, effect.smallest)]


def compared(
    folder: Path, made: Kernels, arguments: tuple[str, ...]
) -> tuple[dict[str, float], dict[str, list[str]]]:
    """Least seconds of the base on the wall clock, and the fields that pytest-benchmark says to
    have regressed, by test."""
    stored = folder / "base.json"
    pytest_of(folder / "base", *arguments, f"--benchmark-json={stored}")
    fails = ("--benchmark-compare-fail", "mean:5%", "min:5%")  # given twice, the last one counts
    said = pytest_of(folder / "head", *arguments, f"--benchmark-compare={stored}", *fails, "--")
    wall = {
        one["fullname"]: one["stats"]["min"] for one in json.loads(stored.read_text())["benchmarks"]
    }
    assert wall.keys() == made.percents.keys()
    regressed: dict[str, list[str]] = {test: [] for test in made.percents}
    for test, field in _REGRESSED.findall(said):
        regressed[f"test_work.py::{test}"].append(field)
    return wall, regressed


def pytest_of(folder: Path, *arguments: str) -> str:
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    done = subprocess.run((*command, *arguments), cwd=folder, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout + done.stderr


def tallies(sessions: list[Session]) -> Iterator[tuple[str, tuple[Tally, ...]]]:
    """By rule."""
    for field in ("mean", "min"):
        outcomes = (
            (percent, field in one["regressed"][test], False)
            for one in sessions
            for test, percent in one["percents"].items()
        )
        yield f"pytest-benchmark, `{field}:5%`", tallied(outcomes)
    yield "one duet, budget 5 %", tallied(_duets(sessions, confirmed=False))
    yield (
        "**two of at most eight duets, budget 5 % (ours)**",
        tallied(_duets(sessions, confirmed=True)),
    )


def _duets(sessions: list[Session], *, confirmed: bool) -> Iterator[tuple[int, bool, bool]]:
    for one in sessions:
        for test, percent in one["percents"].items():
            duets = [[Pair(*pair) for pair in pairs] for pairs in one["duet"][test][2]]
            said = together(duets, BUDGET) if confirmed else step(duets[0], BUDGET)
            slower = said is Step.SLOWER
            unknown = not slower and said is not Step.FASTER
            yield percent, slower, unknown


def table(sessions: list[Session]) -> Iterator[str]:
    yield "| rule | false alarms | finds 5 % | finds 10 % | cannot tell |"
    yield "|---|---|---|---|---|"
    for name, found in tallies(sessions):
        unknown = " / ".join(f"{one.unknown:,}" for one in found)
        yield f"| {name} | {' | '.join(map(str, found))} | {unknown} |"
    clocks = {one["duet"][test][1] for one in sessions for test in one["duet"]}
    spent = [one["seconds"]["duet"] for one in sessions]
    yield ""
    mean = sum(spent) / len(spent)
    yield f"{len(sessions)} sessions, clocks {sorted(clocks)}, {mean:.0f} s for the duets of one"


def read(file: Path) -> list[Session]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--sessions", type=int, default=17, help="in all (default: 17)")
    parser.add_argument(
        "--seconds", type=float, default=0.05, help="of a benchmark in a process (default: 0.05)"
    )
    parser.add_argument("--table", action="store_true", help="measure nothing more")
    options = parser.parse_args()
    while len(read(options.results)) < options.sessions and not options.table:
        line = json.dumps(session(options.seconds))
        with open(options.results, "a") as stream:
            stream.write(f"{line}\n")
        print(f"{len(read(options.results))} of {options.sessions} sessions", file=sys.stderr)
    print("\n".join(table(read(options.results))))


if __name__ == "__main__":
    main()
