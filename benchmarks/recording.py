"""What recording costs a run: pytest with and without `--ciopt-record=results`, in turns.

    python benchmarks/recording.py [--tests 10000] [--rounds 5]

Run it with the Python of an environment that has pytest-ciopt and pytest-xdist. Makes a repository
whose tests do nothing, so that what is added to each of them shows, and one whose tests compute for
five milliseconds. What the start adds is measured with twenty tests, and told apart from what each
test adds. Prints Markdown; the exit code is 1 when both targets are missed in a row.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from corpus import committed
from cpu import Contender, environment, in_turns, middle

SHARE, EACH = 0.02, 30.0
"""Targets, of which one is enough: share of the run, microseconds a test."""
_EMPTY = "import pytest\n@pytest.mark.parametrize('n', range({number}))\ndef test_it(n): pass\n"
_BUSY = """import pytest
from time import process_time

@pytest.mark.parametrize("n", range({number}))
def test_it(n):
    end = process_time() + 0.005
    while process_time() < end:
        pass
"""
_MODULES = 20


def _repository(folder: Path, text: str, tests: int) -> Path:
    (folder / "tests").mkdir(parents=True)
    (folder / "pytest.ini").write_text("[pytest]\n")
    for number in range(_MODULES):
        source = text.format(number=tests // _MODULES)
        (folder / f"tests/test_{number}.py").write_text(source)
    committed(folder, "one")
    return folder


def measure(folder: Path, rounds: int, workers: Sequence[str]) -> tuple[float, float]:
    """CPU seconds of a run without and with recording: medians."""
    plain = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *workers)
    contenders = {
        "plain": Contender(plain),
        "recorded": Contender((*plain, "--ciopt-record=results")),
    }
    costs = in_turns(contenders, rounds, folder, environment(folder.parent / "cache"))
    return middle(costs["plain"]).cpu, middle(costs["recorded"]).cpu


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tests", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    missed = False
    heads = ("suite", "tests", "plain", "recorded", "ratio", "start", "microseconds a test")
    print(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|")
    with tempfile.TemporaryDirectory() as temporary:
        empty = _repository(Path(temporary) / "empty", _EMPTY, options.tests)
        busy = _repository(Path(temporary) / "busy", _BUSY, options.tests // 10)
        for name, folder, tests, workers in (
            ("tests that do nothing", empty, options.tests, ()),
            ("tests that do nothing, two workers", empty, options.tests, ("-n2",)),
            ("tests of 5 ms", busy, options.tests // 10, ()),
        ):
            one = _repository(Path(temporary) / f"one{len(name)}", _EMPTY, _MODULES)
            before, after = measure(one, 3 * options.rounds, workers)
            start = after - before - _MODULES * EACH / 1e6
            plain, recorded = measure(folder, options.rounds, workers)
            each = (recorded - plain - start) / tests * 1e6
            missed = missed or (recorded / plain - 1 > SHARE and each > EACH)
            figures = f"{plain:.2f} s | {recorded:.2f} s | {recorded / plain:.3f}"
            print(f"| {name} | {tests:,} | {figures} | {start:.3f} s | {each:.0f} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
