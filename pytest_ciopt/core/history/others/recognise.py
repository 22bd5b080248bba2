"""Finds out by its content what a file is, and reads it."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pytest_ciopt.core.history.encoding import OBJECT_ID
from pytest_ciopt.core.history.others import junit, report_log
from pytest_ciopt.core.history.others.found import (
    ForeignError,
    Found,
    mapping,
    moment,
    seconds,
    text,
)
from pytest_ciopt.core.history.records import Attempt, Benchmark, Phase
from pytest_ciopt.core.history.rounds import Machine, clock_of, kept, percentile
from pytest_ciopt.core.nodeids import module_of, repository_id

FORMS = "JUnit XML, .test_durations of pytest-split, --report-log, JSON of pytest-benchmark"


def read(content: bytes, files: Collection[str], roots: Sequence[str] = ("",)) -> Found:
    """The results in a file; `files` are the Python files of the repository.

    Ids are relative to one of `roots`, folders from its top: the one below which most of the files
    are that they name, the first of equals. Raises: ForeignError.
    """
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        return junit.read(start, files, roots)
    found = _with_ids(start)
    known, named = frozenset(files), {module_of(one.id) for one in found.records}
    found.root = max(
        roots, key=lambda root: sum(repository_id(root, path) in known for path in named)
    )
    return found


def _with_ids(start: bytes) -> Found:
    if not start.startswith(b"{"):
        raise ForeignError(f"it is none of these: {FORMS}")
    first, _, rest = start.partition(b"\n")
    head = _maybe(first)
    if head is not None and report_log.KIND in head:
        return report_log.read(_lines(start))
    whole = _json(start)
    if isinstance(whole.get("benchmarks"), list):
        return _benchmarks(whole)
    if rest.strip() and head is not None:
        raise ForeignError(f"it is none of these: {FORMS}")
    return _durations(whole)


def _json(content: bytes) -> Mapping[str, Any]:
    try:
        return mapping(json.loads(content))
    except (ValueError, RecursionError) as error:
        if isinstance(error, ForeignError):
            raise
        raise ForeignError("it is no JSON") from error


def _maybe(line: bytes) -> Mapping[str, Any] | None:
    try:
        return _json(line)
    except ForeignError:
        return None


def _lines(content: bytes) -> Iterator[Mapping[str, Any]]:
    """A killed run leaves half a line at the end."""
    lines: Sequence[bytes] = content.split(b"\n")
    for line in lines[:-1]:
        if line.strip():
            yield _json(line)
    if lines[-1].strip() and (last := _maybe(lines[-1])) is not None:
        yield last


def _durations(whole: Mapping[str, Any]) -> Found:
    """Outcomes are not told: the tests count as passed, for there is no word for that."""
    passed = Phase("passed", 0.0)
    attempts = [
        Attempt(test, passed, Phase("passed", seconds(took)))
        for test, took in whole.items()
        if _is_id(test)
    ]
    if whole and not attempts:
        raise ForeignError("none of its keys is the id of a test")
    return Found("durations", [*attempts], skipped=len(whole) - len(attempts))


def _is_id(text: str) -> bool:
    path, _, name = text.partition("::")
    return bool(path and name)


def _benchmarks(whole: Mapping[str, Any]) -> Found:
    commit = whole.get("commit_info")
    known = commit if isinstance(commit, dict) else {}
    machine = _machine(whole.get("machine_info"))
    return Found(
        "pytest-benchmark",
        [_benchmark(mapping(one), machine) for one in whole["benchmarks"]],
        moment(whole.get("timestamp")) or junit.moment_of(text(whole.get("datetime")) or ""),
        commit=_object_id(known.get("id")),
        branch=text(known.get("branch")),
    )


def _machine(told: object) -> Machine:
    """As `adapters.machine` sees the same one, where all of it is told."""
    known = told if isinstance(told, dict) else {}
    processor = known.get("cpu")
    cpu = processor if isinstance(processor, dict) else {}
    brand = text(cpu.get("brand_raw")) or text(cpu.get("brand")) or ""
    cores = cpu.get("count")
    platform = f"{text(known.get('system')) or ''}-{text(known.get('machine')) or ''}".lower()
    return Machine(brand, cores if isinstance(cores, int) else 0, platform)


def _benchmark(one: Mapping[str, Any], machine: Machine) -> Benchmark:
    test, stats, options = text(one.get("fullname")), mapping(one.get("stats")), one.get("options")
    if test is None:
        raise ForeignError("a benchmark without a name")
    timer = text(options.get("timer")) if isinstance(options, dict) else None
    data = stats.get("data")
    ranked = sorted(map(seconds, data)) if isinstance(data, list) else []
    return Benchmark(
        test,
        _count(stats.get("rounds")),
        _count(stats.get("iterations")),
        minimum=seconds(stats.get("min")),
        median=seconds(stats.get("median")),
        mean=seconds(stats.get("mean")),
        deviation=seconds(stats.get("stddev")),
        maximum=seconds(stats.get("max")),
        machine=machine.processor or None,
        p95=percentile(ranked, 95) if ranked else None,
        p99=percentile(ranked, 99) if ranked else None,
        fingerprint=machine.fingerprint if machine.processor and machine.cores else None,
        clock=None if timer is None else clock_of(timer),
        values=kept(ranked),
    )


def _object_id(value: object) -> str | None:
    """Without a repository pytest-benchmark says `unversioned`."""
    return value if isinstance(value, str) and OBJECT_ID.fullmatch(value) else None


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 53:
        raise ForeignError("a number of rounds that is none")
    return value
