"""How well estimates of durations hold: ours beside others, on real histories and snapshots.

    python benchmarks/estimates.py --data FOLDER

FOLDER holds `retecs/iofrol.csv.xz` (the IOF/ROL data of RETECS: 320 cycles of an industrial suite
with durations, github.com/HelgeS/atcs-data), `pytorch-test-infra/test_times_monthly.csv.xz`
(seconds of PyTorch's test files a job and month) and `durations/*.json` (`.test_durations` files of
pytest-split, id to seconds). Prints Markdown. Runs for a minute or two on one core; where a part of
the data is taken, it is taken with a fixed seed.

*Error* is the sum of absolute errors over the sum of actual seconds, *bias* the sum of predicted
over the sum of actual seconds, *covered* how often the next value lies within the estimate plus or
minus 1.645 spreads, which is 90 % of a normal distribution.
"""

import argparse
import csv
import json
import lzma
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean, median

from pytest_ciopt.core.history.estimates import RECENT, Estimate, estimated
from pytest_ciopt.core.history.forecast import Forecaster
from pytest_ciopt.core.history.results import Result

_ENVIRONMENT = "cpython-3.12-linux-x86_64"
_NORMAL_90 = 1.645
Predictor = Callable[[Sequence[float]], float]


def _recent(rule: Predictor, number: int) -> Predictor:
    return lambda past: rule(past[-number:])


def _weighted(past: Sequence[float], alpha: float) -> float:
    found = past[0]
    for value in past[1:]:
        found += alpha * (value - found)
    return found


def _ours(past: Sequence[float]) -> Estimate:
    return estimated([Result(".", 0, round(value * 1e6), 0) for value in past[-RECENT:]])


PREDICTORS: Mapping[str, Predictor] = {
    "last": lambda past: past[-1],
    "mean of all": fmean,
    "median of all": median,
    "mean of the last 10": _recent(fmean, 10),
    "median of the last 3": _recent(median, 3),
    "median of the last 5": _recent(median, 5),
    f"**median of the last {RECENT} (ours)**": lambda past: _ours(past).seconds,
    "median of the last 20": _recent(median, 20),
    "exponential, 0.3": lambda past: _weighted(past, 0.3),
}


def industrial(folder: Path) -> list[list[float]]:
    """Durations of each test, oldest first, seconds."""
    found: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    with lzma.open(folder / "retecs/iofrol.csv.xz", "rt") as stream:
        for row in csv.DictReader(stream, delimiter=";"):
            found[row["Name"]].append((int(row["Cycle"]), float(row["Duration"]) / 1e3))
    return [[seconds for _, seconds in sorted(one)] for one in found.values()]


def monthly(folder: Path, seed: int = 1) -> list[list[float]]:
    """Seconds of 3,000 pairs of a job and a test file, oldest first."""
    found: defaultdict[tuple[str, str], list[tuple[int, float]]] = defaultdict(list)
    with lzma.open(folder / "pytorch-test-infra/test_times_monthly.csv.xz", "rt") as stream:
        for row in csv.DictReader(stream):
            key = (row["job"], row["test_file"])
            found[key].append((int(row["ts"]), float(row["seconds"])))
    chosen = random.Random(seed).sample(sorted(found), min(3_000, len(found)))
    return [[seconds for _, seconds in sorted(found[key])] for key in chosen]


def _disturbed(history: Sequence[float], chance: random.Random) -> list[float]:
    """With every fiftieth value ten times as large: a busy machine."""
    return [value * 10 if chance.random() < 0.02 else value for value in history]


def known(histories: Sequence[Sequence[float]], disturb: bool) -> Iterator[Sequence[str]]:
    """Rows: name, error, bias."""
    chance = random.Random(2)
    pairs: list[tuple[Sequence[float], float]] = []
    for history in histories:
        seen = _disturbed(history, chance) if disturb else list(history)
        pairs.extend((seen[max(0, n - 60) : n], history[n]) for n in range(1, len(history)))
    actual = sum(value for _, value in pairs)
    for name, predict in PREDICTORS.items():
        told = [(predict(past), value) for past, value in pairs]
        error = sum(abs(one - value) for one, value in told) / actual
        yield name, f"{error:.3f}", f"{sum(one for one, _ in told) / actual:.3f}"


def covered(histories: Sequence[Sequence[float]]) -> float:
    """Share of next values within 1.645 of our spreads, from five results on."""
    hits = [
        abs(history[n] - (e := _ours(history[:n])).seconds) <= _NORMAL_90 * e.spread
        for history in histories
        for n in range(5, len(history))
    ]
    return fmean(hits)


def unknown(durations: Mapping[str, float], hidden: float, modules: bool) -> Sequence[str]:
    """A share of tests or modules is hidden, and estimated from the rest: share, error, bias."""
    chance = random.Random(3)
    keys = sorted({test.partition("::")[0] if modules else test for test in durations})
    gone = set(chance.sample(keys, max(1, round(hidden * len(keys)))))
    left = {
        test: Estimate(0.0, took, 0.0, 0.0, 1)
        for test, took in durations.items()
        if (test.partition("::")[0] if modules else test) not in gone
    }
    ask = Forecaster({_ENVIRONMENT: left}, _ENVIRONMENT)
    told = [
        (ask.forecast(test).estimate.seconds, took)
        for test, took in durations.items()
        if test not in left
    ]
    actual = sum(took for _, took in told)
    error = sum(abs(one - took) for one, took in told) / actual
    what = "modules" if modules else "tests"
    return f"{hidden:.0%} of {what}", f"{error:.3f}", f"{sum(one for one, _ in told) / actual:.3f}"


def _table(heads: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> None:
    print(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print()


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    folder = parser.parse_args(arguments).data
    for name, histories in (("IOF/ROL", industrial(folder)), ("PyTorch", monthly(folder))):
        results = sum(map(len, histories))
        print(f"### {name}: {len(histories):,} histories, {results:,} results\n")
        for disturb in (False, True):
            print("With 2 % of past values times 10:\n" if disturb else "As they are:\n")
            _table(("next value predicted by", "error", "bias"), known(histories, disturb))
        print(f"Covered by 1.645 spreads: {covered(histories):.0%}\n")
    for path in sorted((folder / "durations").glob("*.json")):
        durations = json.loads(path.read_bytes())
        print(f"### {path.stem}: {len(durations):,} tests, some unknown\n")
        rows = [unknown(durations, share, m) for m in (False, True) for share in (0.05, 0.2, 0.5)]
        _table(("hidden", "error", "bias"), rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
