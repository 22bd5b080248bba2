"""A library of small functions, and recorded runs of tests that call them."""

import os
import subprocess
import sys

from conftest import Project
from seen import Segment

RECORD = "--ciopt-record=deps"
LIB = """
def one(): return 1
def two(): return 2
def three(): return 3
def four(): return 4
def five(): return 5
def six(): return 6
def seven(): return 7
def outer():
    def inner(): return [n for n in (lambda: (4, 5))()]
    return inner()
class Thing:
    def method(self): return 1
    key = lambda self: 2
def numbers():
    yield 1
    yield 2
async def later(): return 1
"""
CONFIG = {"pytest.ini": "[pytest]\npythonpath = .\n", "lib.py": LIB}
WIDE = """
import lib, pytest, unittest

@pytest.fixture(scope="{scope}")
def base():
    lib.one()
    yield
    lib.two()

@pytest.fixture(scope="{scope}")
def above(base, request):
    lib.three()
    request.addfinalizer(lib.four)

class TestAll:
    def test_first(self, above): lib.five()
    def test_second(self, above): pass
    def test_base(self, base): pass
    def test_none(self): pass
    def test_asks(self, request): request.getfixturevalue("above")
    def test_last(self, request): request.getfixturevalue("base")
"""


def pytest_command(*arguments: str) -> list[str]:
    plugins = ("-p", "no:cacheprovider", "-p", "pytest_ciopt.plugin")
    return [sys.executable, "-m", "pytest", *plugins, *arguments]


def run(made: Project, *arguments: str, ok: bool = True, **environment: str) -> str:
    """Runs pytest in a process of its own; returns its output."""
    xdist = ("-p", "xdist") if any(word.startswith("-n") for word in arguments) else ()
    done = subprocess.run(
        pytest_command(*xdist, *arguments),
        cwd=made.repository.root,
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )
    assert done.returncode == 0 or not ok, done.stdout + done.stderr
    return done.stdout


def lib(*names: str) -> set[str]:
    return {f"lib.py:{name}" for name in names}


def of_lib(seen: Segment, test: str) -> set[str]:
    return {unit for unit in seen.tests[test].units if unit.startswith("lib.py:")}
