"""A history in which tests took longer than they do."""

import gzip
import json
from pathlib import Path


def remember(*tests: tuple[str, float], runs: int = 5) -> None:
    """Makes what the run before recorded take other times, several times over."""
    (segment,) = Path(".ciopt/segments").iterdir()
    known = [json.loads(line) for line in gzip.decompress(segment.read_bytes()).splitlines()]
    for number in range(runs):
        run = f"{int(known[0]['run'][:12], 16) - number - 1:012x}{known[0]['run'][12:]}"
        lines = [{**line} for line in known]
        lines[0]["run"] = run
        for line in lines:
            for test, seconds in tests:
                if line.get("id") == test and line["kind"] == "test":
                    takes = {"setup": 0.0, "call": seconds, "teardown": 0.0}
                    line |= {phase: [line[phase][0], takes[phase]] for phase in takes}
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        name = segment.name.replace(known[0]["run"], run)
        segment.with_name(name).write_bytes(gzip.compress(text.encode()))
    segment.unlink()
