"""What is kept of the rounds of a benchmark. Pure.

Rounds are many and their order tells little, so that they are kept as order statistics: the least,
the greatest, and evenly spaced ones between them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import ceil, sqrt
from statistics import fmean, median

from pytest_ciopt.core.history.records import Benchmark

MOST = 100
"""Rounds that are kept: a line of a segment stays below 2 kB."""
WAITS = 0.8
"""CPU seconds over wall seconds of a benchmark; what has less may wait for something, so that the
CPU clock hides a part of what it takes. A choice: what computes alone has 0.95 and more unless
others use the processor all the time, and what sleeps or waits for a disk far less."""
CPU, WALL = "cpu", "wall"
_CPU_CLOCKS = frozenset(("process_time", "process_time_ns", "thread_time", "thread_time_ns"))
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Machine:
    """What durations depend on, as far as it can be asked for."""

    processor: str
    """Its name, "" where nobody tells."""
    cores: int
    platform: str
    """E.g. `linux-x86_64`."""

    @property
    def fingerprint(self) -> str:
        """Short and stable; the same for machines of one kind."""
        text = "\0".join((self.processor, str(self.cores), self.platform))
        return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGITS]


def clock_of(timer: str) -> str:
    """Which clock a timer of pytest-benchmark reads, by its name."""
    return CPU if timer.rpartition(".")[2] in _CPU_CLOCKS else WALL


def percentile(ranked: Sequence[float], percent: int) -> float:
    """The least value that at least so many percent do not exceed, of sorted values, one at least.

    **Source:** Hyndman and Fan, Sample Quantiles in Statistical Packages, 1996: definition 1.
    """
    return ranked[max(ceil(len(ranked) * percent / 100) - 1, 0)]


def kept(ranked: Sequence[float]) -> tuple[float, ...]:
    """At most `MOST` of some sorted values, evenly spaced by rank, to six digits."""
    number, last = min(len(ranked), MOST), len(ranked) - 1
    places = (round(place * last / max(number - 1, 1)) for place in range(number))
    return tuple(float(f"{ranked[place]:.6g}") for place in places)


def summed_up(
    test: str,
    values: Sequence[float],
    iterations: int,
    clock: str,
    machine: Machine,
    busy: float | None,
) -> Benchmark:
    """A record of some rounds, at least one; `values` are seconds of one iteration."""
    ranked = sorted(values)
    mean = fmean(ranked)
    spread = sum((value - mean) ** 2 for value in ranked)
    return Benchmark(
        test,
        len(ranked),
        iterations,
        minimum=ranked[0],
        median=median(ranked),
        mean=mean,
        deviation=sqrt(spread / (len(ranked) - 1)) if len(ranked) > 1 else 0.0,
        maximum=ranked[-1],
        machine=machine.processor or None,
        p95=percentile(ranked, 95),
        p99=percentile(ranked, 99),
        fingerprint=machine.fingerprint,
        clock=clock,
        busy=None if busy is None else round(busy, 4),
        values=kept(ranked),
    )
