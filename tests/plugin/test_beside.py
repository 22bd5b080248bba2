"""What is recorded beside plugins that run tests in other ways.

`tox -e beside` has them; where one is not installed, its test is skipped.
"""

from pathlib import Path

import pytest

from conftest import MakeProject
from library import CONFIG, RECORD, WIDE, lib, of_lib, run
from seen import newest


def test_reruns_are_united(project: MakeProject) -> None:
    pytest.importorskip("pytest_rerunfailures")
    made = project(
        CONFIG
        | {
            "test_a.py": """
import lib, pytest
tries = []
@pytest.fixture(scope="module")
def breaks():
    tries.append(1)
    lib.four()
    assert len(tries) > 2
    yield
    lib.five()
def test_a():
    tries.append(1)
    if len(tries) == 1: lib.one()
    else: lib.two()
    assert len(tries) > 1
def test_b(): lib.three()
def test_c(breaks): pass
"""
        }
    )
    run(made, RECORD, "-p", "no:randomly", "-p", "rerunfailures", "--reruns=2")
    seen = newest(made.repository.root)
    assert of_lib(seen, "test_a") == lib("one", "two")
    assert of_lib(seen, "test_b") == lib("three")
    assert of_lib(seen, "test_c") == lib("four", "five")


def test_a_test_that_killed_its_worker_is_rerun(project: MakeProject) -> None:
    """By another worker, when pytest-rerunfailures asks for that, and only then."""
    pytest.importorskip("pytest_rerunfailures")
    test = """
        import os, pytest
        from pathlib import Path

        @pytest.mark.parametrize("number", range(8))
        def test_dies(number):
            if number == 3 and not Path("died").exists():
                Path("died").touch()
                os._exit(1)
        """
    made = project({"pytest.ini": "[pytest]\n", "test_a.py": test})
    flags = ("-n2", "--ciopt-dist", "-p", "no:randomly", "-p", "rerunfailures")
    made.run(*flags).assert_outcomes(passed=7, failed=1)
    Path("died").unlink()
    outcomes = made.run(*flags, "--reruns=2").parseoutcomes()
    assert (outcomes["passed"], outcomes["rerun"]) == (8, 1)
    assert "failed" not in outcomes


def test_asyncio(project: MakeProject) -> None:
    pytest.importorskip("pytest_asyncio")
    made = project(
        CONFIG
        | {
            "pytest.ini": "[pytest]\npythonpath=.\nasyncio_default_fixture_loop_scope=function\n",
            "test_a.py": """
import asyncio, lib, pytest, pytest_asyncio
@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wide():
    await asyncio.sleep(0)
    lib.one()
    yield
    lib.two()
@pytest.mark.asyncio(loop_scope="module")
async def test_a(wide): await lib.later()
@pytest.mark.asyncio(loop_scope="module")
async def test_b(wide): pass
@pytest.mark.asyncio
async def test_c(): await asyncio.gather(lib.later(), asyncio.to_thread(lib.five))
""",
        }
    )
    run(made, RECORD, "-p", "asyncio")
    seen = newest(made.repository.root)
    assert of_lib(seen, "test_a") == lib("one", "two", "later")
    assert of_lib(seen, "test_b") == lib("one", "two")
    assert of_lib(seen, "test_c") == lib("later", "five")


def test_any_order(project: MakeProject) -> None:
    pytest.importorskip("pytest_randomly")
    made = project(CONFIG | {"test_a.py": WIDE.format(scope="module")})
    found = []
    for seed in ("1", "2", "3"):
        run(made, RECORD, "-p", "randomly", f"--randomly-seed={seed}")
        found.append(newest(made.repository.root).tests)
    assert found[0] == found[1] == found[2]
