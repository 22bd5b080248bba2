"""What a process that measures benchmarks is asked, and what it answers. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pytest_ciopt.core.history.decoding import SegmentError, decoded
from pytest_ciopt.core.history.encoding import encoded
from pytest_ciopt.core.history.records import Benchmark
from pytest_ciopt.core.nodeids import module_of


class Tree(StrEnum):
    """Whose code is measured."""

    BASE = "base"
    HEAD = "head"


@dataclass(frozen=True, slots=True)
class Question:
    """What a process is to run."""

    tests: frozenset[str] | None
    """Node ids of benchmarks; None for all that there are."""
    answer: str
    """The file that the answer goes to."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What it found."""

    benchmarks: Mapping[str, Benchmark] = field(default_factory=dict)
    """By node id; those that passed and were measured."""
    collected: frozenset[str] = frozenset()
    """Node ids of the benchmarks that were run."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """By node id, or path of a module that could not be imported: the first line of the failure."""
    modules: Mapping[str, str] = field(default_factory=dict)
    """Real paths of their files, by name; without test modules, which pytest imports in ways of its
    own."""

    computing: frozenset[str] = frozenset()
    """Node ids of those that were seen to go through a round without waiting for anything but the
    processor."""

    def trouble(self, test: str) -> str | None:
        """Why a test could not be measured; None where it passed, or is not there."""
        return self.failed.get(test) or self.failed.get(module_of(test))


class NoAnswer(ValueError):
    """The text is none."""


def question_text(question: Question) -> str:
    """As JSON."""
    tests = None if question.tests is None else sorted(question.tests)
    return json.dumps({"tests": tests, "answer": question.answer})


def question(text: str) -> Question:
    """Reads what `question_text` wrote."""
    plain = json.loads(text)
    tests = None if plain["tests"] is None else frozenset(plain["tests"])
    return Question(tests, plain["answer"])


_SETS = ("collected", "computing")


def answer_text(answer: Answer) -> str:
    """As JSON."""
    return json.dumps(
        {
            "benchmarks": [encoded(one).decode("ascii") for one in answer.benchmarks.values()],
            "collected": sorted(answer.collected),
            "failed": dict(answer.failed),
            "modules": dict(answer.modules),
            "computing": sorted(answer.computing),
        }
    )


def answer(text: str) -> Answer:
    """Reads what `answer_text` wrote. Raises: NoAnswer."""
    try:
        plain = json.loads(text)
        benchmarks = _benchmarks(plain["benchmarks"])
        collected, computing = (frozenset(map(str, plain[name])) for name in _SETS)
        failed, modules = dict(plain["failed"]), dict(plain["modules"])
        return Answer(benchmarks, collected, failed, modules, computing)
    except (ValueError, KeyError, TypeError, AttributeError, SegmentError) as error:
        raise NoAnswer(f"a process answered with {error}") from error


def _benchmarks(lines: Sequence[str]) -> dict[str, Benchmark]:
    records = (decoded(line.encode("ascii")) for line in lines)
    return {one.id: one for one in records if isinstance(one, Benchmark)}
