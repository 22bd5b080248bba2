"""Coverage is compared exactly, and said so that nobody takes one figure for another."""

import json
from decimal import Decimal
from fractions import Fraction

import pytest

from pytest_ciopt.core.gates import coverage
from pytest_ciopt.core.gates.coverage import Before, Changed, FileCoverage, Measured, shown
from pytest_ciopt.core.gates.rules import Group, Thresholds, percent, thresholds
from pytest_ciopt.core.gates.verdict import Gap, Ruling, Verdict, placed, ranges
from pytest_ciopt.core.history.totals import Totals
from pytest_ciopt.errors import ConfigurationError
from pytest_ciopt.report.gates import annotations, beside, code_quality, lines


def file(statements: int, *missing: int, branches: int = 0, covered: int = 0) -> FileCoverage:
    """Statements in the first lines."""
    totals = Totals(statements, statements - len(missing), branches, covered)
    return FileCoverage(totals, frozenset(range(1, statements + 1)), frozenset(missing))


MEASURED = {"shop/a.py": file(8, 3, 4), "shop/b.py": file(2), "tools/c.py": file(10, *range(1, 9))}


def asked(*said: str, measured: Measured = MEASURED) -> list[Verdict]:
    return coverage.judged(measured, thresholds(said, "ciopt_cov_fail_under"))


@pytest.mark.parametrize(
    ("totals", "text"),
    [
        (Totals(0, 0), "100.00 %"),
        (Totals(3, 2), "66.66 %"),
        (Totals(100_000, 99_999), "99.99 %"),
        (Totals(1000, 846), "84.60 %"),
        (Totals(8, 6, 4, 2), "66.66 %"),
        (Totals(1, 0), "0.00 %"),
    ],
)
def test_percentages_are_rounded_down(totals: Totals, text: str) -> None:
    assert shown(totals.percent) == text


def test_the_total_is_exact() -> None:
    """84.6 % are not 85 %, and 84.996 % are not either."""
    nearly = {"a.py": file(25_000, *range(1, 3752))}
    (verdict,) = asked("85", measured=nearly)
    assert verdict.ruling is Ruling.FAIL
    assert verdict.why == "84.99 %, 85 % required"
    exactly = {"a.py": file(20, 1, 2, 3)}
    assert [one.ruling for one in asked("85", measured=exactly)] == [Ruling.PASS]


def test_branches_count_as_lines_do() -> None:
    (verdict,) = asked("70", measured={"a.py": file(8, 1, 2, branches=4, covered=2)})
    assert verdict.ruling is Ruling.FAIL
    assert verdict.value == pytest.approx(66.6667)


def test_groups_and_each_file() -> None:
    verdicts = asked("50", "shop/** -> 80", "each shop/*.py -> 80", "each tools/ -> 10%", "x/ -> 9")
    assert [(one.gate, one.ruling.value) for one in verdicts] == [
        ("coverage", "pass"),
        ("coverage of shop/**", "pass"),
        ("coverage of each shop/*.py", "fail"),
        ("coverage of each tools/", "pass"),
        ("coverage of x/", "cannot tell"),
    ]
    assert verdicts[2].why == "below 80 %: shop/a.py 75.00 %"
    assert verdicts[2].gaps == (Gap("shop/a.py", (3, 4)),)


@pytest.mark.parametrize("line", ["-> 80", "each -> 80", "a", "101", "-1", "nan", "a -> b", "1e9"])
def test_lines_that_ask_for_nothing(line: str) -> None:
    with pytest.raises(ConfigurationError, match="ciopt_cov_fail_under"):
        thresholds([line], "ciopt_cov_fail_under")


def test_what_is_asked() -> None:
    found = thresholds(["# all", "", "85.5", "a/ -> 90 %"], "x")
    assert found == Thresholds(Decimal("85.5"), (Group("a/", Decimal(90)),))
    assert percent(" 7 % ", "x") == 7


def test_changed_lines() -> None:
    changed = Changed({"shop/a.py": frozenset((1, 3, 4, 99)), "other.py": frozenset((1,))})
    verdict = coverage.patch(MEASURED, changed, Decimal(50))
    assert verdict.ruling is Ruling.FAIL
    assert verdict.why == "33.33 % of 3 changed lines, 50 % required"
    assert verdict.gaps == (Gap("shop/a.py", (3, 4)),)
    assert coverage.patch(MEASURED, changed, Decimal("33.3")).ruling is Ruling.PASS


def test_changed_lines_that_do_not_count() -> None:
    assert coverage.patch(MEASURED, Changed({}), Decimal(100)).ruling is Ruling.PASS
    elsewhere = coverage.patch(MEASURED, Changed(unmeasured=("src/a.py",)), Decimal(100))
    assert elsewhere.ruling is Ruling.UNKNOWN
    assert elsewhere.why == "no changed file is measured: src/a.py"
    beside = Changed({"shop/b.py": frozenset((1,))}, ("src/a.py",))
    assert coverage.patch(MEASURED, beside, Decimal(100)).ruling is Ruling.PASS
    unknown = coverage.patch(MEASURED, Changed(unknown="no base"), Decimal(100))
    assert (unknown.ruling, unknown.why) == (Ruling.UNKNOWN, "no base")


@pytest.mark.parametrize(
    ("allowed", "ruling"), [("0", Ruling.FAIL), ("0.1", Ruling.PASS), ("0.09", Ruling.FAIL)]
)
def test_a_drop(allowed: str, ruling: Ruling) -> None:
    before = Before(Totals(1000, 900), "a" * 40, 2)
    verdict = coverage.drop(Totals(1000, 899), before, Decimal(allowed))
    assert verdict.ruling is ruling
    assert verdict.why.startswith("89.90 % now, 90.00 % at aaaaaaaaaa, 2 before the base")


def test_a_drop_that_nobody_can_tell() -> None:
    assert coverage.drop(Totals(1, 1), None, Decimal(0)).ruling is Ruling.UNKNOWN
    with_branches = Before(Totals(10, 9, 4, 4), "a" * 40)
    assert coverage.drop(Totals(10, 9), with_branches, Decimal(0)).ruling is Ruling.UNKNOWN


def test_places_are_those_that_editors_know() -> None:
    assert ranges(()) == []
    assert placed(Gap("shop/a.py", (3, 4, 5, 9, 11, 12))) == "shop/a.py:3-5,9,11-12"


def test_what_people_read() -> None:
    (verdict,) = asked("each shop/*.py -> 80")
    assert list(lines(verdict)) == [
        "coverage of each shop/*.py: FAIL: below 80 %: shop/a.py 75.00 %",
        "  not covered: shop/a.py:3-4",
        "  Test the lines above.",
    ]
    many = Verdict("g", Ruling.FAIL, "w", gaps=tuple(Gap(f"{n}.py", (1,)) for n in range(25)))
    assert list(lines(many))[-1] == "  and in 5 more files"


def test_what_github_reads() -> None:
    gaps = (Gap("a,b:c%.py", (1, 2, 5)), *(Gap(f"{n}.py", (1,)) for n in range(20)))
    failed = Verdict("coverage of each a", Ruling.FAIL, "w", gaps=gaps)
    passed = Verdict("coverage", Ruling.PASS, "w", gaps=gaps)
    found = list(annotations([passed, failed], {"GITHUB_ACTIONS": "true"}))
    assert len(found) == 10
    title = "title=coverage of each a::not covered"
    assert found[0] == f"::warning file=a%2Cb%3Ac%25.py,line=1,endLine=2,{title}"
    assert found[1] == f"::warning file=a%2Cb%3Ac%25.py,line=5,endLine=5,{title}"


def test_annotations_of_azure_pipelines() -> None:
    failed = Verdict("patch coverage", Ruling.FAIL, "w", gaps=(Gap("a;b%].py", (1, 2, 5)),))
    place = "##vso[task.logissue type=warning;sourcepath=a%3Bb%AZP25%5D.py;linenumber"
    assert list(annotations([failed], {"TF_BUILD": "True"})) == [
        f"{place}=1]patch coverage: not covered up to line 2",
        f"{place}=5]patch coverage: not covered",
    ]


def test_the_code_quality_report_of_gitlab() -> None:
    gaps = (Gap("a.py", (*range(1, 40, 2), 50, 51)), Gap("b.py", (3,)))
    failed = Verdict("coverage", Ruling.FAIL, "so", gaps=gaps)
    passed = Verdict("patch", Ruling.PASS, "so", gaps=gaps)
    found = json.loads(code_quality([passed, failed]))
    assert len(found) == 22  # all of them: it is no log
    assert found[20] | {"fingerprint": ""} == {
        "description": "coverage: not covered",
        "check_name": "pytest-ciopt: coverage",
        "fingerprint": "",
        "severity": "minor",
        "location": {"path": "a.py", "lines": {"begin": 50, "end": 51}},
    }
    assert len({one["fingerprint"] for one in found}) == 22
    assert json.loads(code_quality([passed])) == []


@pytest.mark.parametrize("environ", [{}, {"GITHUB_ACTIONS": ""}, {"GITLAB_CI": "true"}])
def test_no_annotations_elsewhere(environ: dict[str, str]) -> None:
    failed = Verdict("patch coverage", Ruling.FAIL, "w", gaps=(Gap("a.py", (1,)),))
    assert list(annotations([failed], environ)) == []


def test_beside_the_limit_of_pytest_cov() -> None:
    assert list(beside(Decimal(85), None)) == list(beside(Decimal(85), 0)) == []
    assert "leave it out" in next(beside(Decimal(85), 85.0))
    assert "counts as well" in next(beside(Decimal(85), 80.0))
    assert "counts as well" in next(beside(None, 80.0))


def test_totals_add_up() -> None:
    assert Totals(1, 2, 3, 4) + Totals(10, 20, 30, 40) == Totals(11, 22, 33, 44)
    assert coverage.total(MEASURED) == Totals(20, 10)
    assert Totals(3, 1).percent == Fraction(100, 3)
