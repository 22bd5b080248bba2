"""Lines about a run: names of files and reasons that records tell may come from anywhere."""

from collections.abc import Iterator

from pytest_ciopt.core.gates.verdict import Gap, Ruling, Verdict
from pytest_ciopt.core.selection import Selection
from pytest_ciopt.report import gates, lines
from pytest_ciopt.report.outcome import DecidedTest, Outcome

RED = "\x1b[31m"


def told() -> Iterator[str]:
    outcome = Outcome()
    outcome.tests.append(DecidedTest(f"t.py::a[{RED}]", "t.py", True, f"executes {RED}"))
    outcome.dropped_modules[f"{RED}.py"] = f"proved by {RED}"
    yield lines.header(Selection(everything=f"global: {RED}"), None, RED)
    yield from lines.explanation(outcome)
    yield from lines.summary(Selection(), outcome, [f"a note {RED}"], ends_early=False)
    gap = Gap(f"{RED}.py", (1,))
    yield from gates.lines(Verdict("coverage", Ruling.FAIL, RED, f"mend {RED}", (gap,)))


def test_control_characters_are_spelled_out() -> None:
    said = list(told())
    assert all(line.isprintable() for line in said)
    assert sum("\\x1b[31m" in line for line in said) == 8
