"""When two runs are of the same job, and which ones cannot be compared."""

import pytest

from pytest_ciopt.core.history.jobs import job
from pytest_ciopt.settings import Command, Job

HERE = ("cpython", "3.12.1")
INSTALLED = {"a-1": "", "b-2": ""}


def of(*typed: str, configured: tuple[str, ...] = ()) -> Job:
    command = Command(typed, configured, (".", ".", "pytest.ini"))
    return job(command, HERE, INSTALLED, {"CI_JOB_NAME": "tests"})


@pytest.mark.parametrize(
    "same",
    [
        ("--ciopt-changed",),
        ("--ciopt-changed=main", "--ciopt-explain"),
        ("--ciopt-json=file", "--junitxml=report-17.xml"),
        ("--basetemp=somewhere",),
    ],
)
def test_what_does_not_alter_what_runs(same: tuple[str, ...]) -> None:
    assert of("-q", *same, "tests") == of("-q", "tests")


@pytest.mark.parametrize(
    "other",
    [
        (),
        ("tests/unit",),
        ("-q", "tests"),
        ("tests", "-m", "slow"),
        ("tests", "-mslow"),
        ("tests", "--runslow"),
        ("tests", "-n", "2"),
        ("tests", "-p", "no:x"),
        ("tests", "-c", "nightly.ini"),
    ],
)
def test_what_may_alter_what_runs(other: tuple[str, ...]) -> None:
    found = of(*other)
    assert found.digest not in (None, of("tests").digest)


@pytest.mark.parametrize(
    ("typed", "odd"),
    [
        (("--database=big",), "--database"),
        (("-o", "testpaths=a"), "-o"),
        (("--override-ini=testpaths=a",), "--override-ini"),
        (("@some.txt",), "@FILE"),
        (("-q", "--lf"), "--lf"),
        (("--ciopt-slow=skip",), "--ciopt-slow"),
        (("-qo",), "-o"),
        (("-X3",), "-X"),
    ],
)
def test_what_cannot_be_compared(typed: tuple[str, ...], odd: str) -> None:
    assert of(*typed) == Job(None, odd)


def test_the_configuration_may_use_any_option_that_runs_all_of_them() -> None:
    assert of(configured=("--database=big",)).digest is not None
    for partial in ("--last-failed", "--sw-skip"):
        assert of(configured=(partial,)) == Job(None, partial)
    assert of(configured=("@some.txt",)) == Job(None, "@FILE")


def test_all_around_counts() -> None:
    command = Command(("tests",), (), (".",))
    plain = job(command, HERE, INSTALLED, {"CI_JOB_NAME": "tests"})
    others = (
        job(command._replace(places=("sub",)), HERE, INSTALLED, {"CI_JOB_NAME": "tests"}),
        job(command, ("cpython", "3.12.2"), INSTALLED, {}),
        job(command, HERE, {"a-1": ""}, {"CI_JOB_NAME": "tests"}),
        job(command, HERE, INSTALLED, {"CI_JOB_NAME": "others"}),
    )
    assert len({plain.digest, *(other.digest for other in others)}) == 5
    assert job(command, HERE, {"b-2": "", "a-1": ""}, {"CI_JOB_NAME": "tests"}) == plain
