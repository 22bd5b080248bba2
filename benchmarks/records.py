"""What the records of many tests cost a decision: their size, and the time to load and judge them.

    python benchmarks/records.py [--tests 10000] [--rounds 5]

Made up, with fixed seeds: modules with a hundred functions, tests that run 40 of them, every second
one five more of its own, in a run whose first 900 tests ran something for the first time. Prints
Markdown. The exit code is 1 when a target is missed, unless `--report` is given.
"""

import argparse
import gc
import json
import random
import sys
import zlib
from collections.abc import Iterator
from statistics import median
from time import process_time

from pytest_ciopt.core.history.traces import Inputs, Trace
from pytest_ciopt.core.proof import storing
from pytest_ciopt.core.proof.evidence import Evidence
from pytest_ciopt.core.proof.judge import Ground, objection
from pytest_ciopt.core.proof.knowledge import Knowledge
from pytest_ciopt.core.proof.seen import Known, Process, Ran, Seen, Unit
from pytest_ciopt.core.proof.stretches import Firsts

BYTES, SECONDS = 500, 0.15
"""Targets: bytes a test on disk, and CPU seconds for 10,000 tests."""
_MODULES, _OPENINGS = 200, 900


def main() -> None:
    """Makes the records up, and measures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tests", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--report", action="store_true", help="exit 0 even when a target is missed")
    options = parser.parse_args()
    knowledge, changed = _made_up(options.tests)
    text = json.dumps(storing.plain(knowledge), separators=(",", ":"))
    rounds = [_decided(text, changed) for _ in range(options.rounds)]
    loaded = median(one for one, _, _ in rounds)
    judged = median(other for _, other, _ in rounds)
    share = rounds[0][2] / options.tests
    plain, packed = len(text) / options.tests, len(zlib.compress(text.encode())) / options.tests
    heads = ("tests", "bytes a test", "compressed", "loading, s", "judging, s", "affected")
    cells = (f"{options.tests:,}", f"{plain:.0f}", f"{packed:.0f}", f"{loaded:.3f}")
    cells += (f"{judged:.3f}", f"{share:.1%}")
    print(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|\n| {' | '.join(cells)} |")
    fine = plain <= BYTES and (loaded + judged) / options.tests <= SECONDS / 10_000
    sys.exit(0 if fine or options.report else 1)


def _made_up(tests: int) -> tuple[Knowledge, Unit]:
    chance = random.Random(1)
    files = [f"package/module_{number}.py" for number in range(_MODULES)]
    units = [(path, f"Class{a}.method_{b}") for path in files for a in range(5) for b in range(20)]
    common = [frozenset(chance.sample(units, 40)) for _ in range(300)]

    def ran() -> Iterator[frozenset[Unit]]:
        for number in range(tests):
            own = chance.sample(units, 5) if number % 2 else ()
            yield common[number % len(common)].union(own)

    several = list(ran())
    process = Process(
        run="run",
        inputs=Inputs(dict.fromkeys(files, "0" * 40)),
        outside=frozenset(units[:500]),
        session=Trace(),
        imports={},
        openings=tuple((one, frozenset[str]()) for one in several[:_OPENINGS]),
    )
    known = {
        f"tests/test_{number % 300}.py::test_{number}": Known("run", "", Seen(process, one))
        for number, one in enumerate(several)
    }
    calls = {unit: set(chance.sample(units, 4)) for unit in units}
    return Knowledge(known, ran=Ran(calls)), units[-1]


def _decided(text: str, changed: Unit) -> tuple[float, float, int]:
    """Seconds to load and to judge, and how many tests a changed function affects."""
    gc.collect()
    gc.disable()  # as a decision does
    start = process_time()
    knowledge = storing.knowledge_of(json.loads(text))
    loaded = process_time()
    evidence = Evidence(knowledge)
    (process,) = {
        id(k.seen.process): k.seen.process for k in knowledge.tests.values() if k.seen
    }.values()
    firsts = Firsts(process)
    callers = {one for one in evidence.callers(changed) if firsts.began(one, changed)}
    ground = Ground(units=dict.fromkeys({changed, *callers}, changed[0]))
    affected = sum(
        objection("", known.seen, ground) is not None
        for known in knowledge.tests.values()
        if known.seen is not None
    )
    return loaded - start, process_time() - loaded, affected


if __name__ == "__main__":
    main()
