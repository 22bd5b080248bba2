"""A small project with benchmarks, real pytest-benchmark beside it, and what it left."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from conftest import QUIET, Project

QUICK = "--benchmark-max-time=0.01 --benchmark-min-rounds=3 --benchmark-min-time=0.00001"
FILES = {
    "pytest.ini": f"[pytest]\npythonpath = .\naddopts = {QUICK} --benchmark-quiet\n",
    ".gitignore": "__pycache__\n",
    "shop/__init__.py": "",
    "shop/cart.py": """\
        def total(prices):
            return sum(price * 2 for price in prices)
        """,
    "tests/test_speed.py": """\
        from shop.cart import total

        def test_total(benchmark): assert benchmark(total, range(200)) == 39800
        """,
    "tests/test_other.py": "def test_other(): pass\n",
}
TOTAL = "tests/test_speed.py::test_total"


def run(made: Project, *arguments: str) -> pytest.RunResult:
    """In a process of its own: pytest-benchmark keeps state in its module."""
    plugins = ("-p", "benchmark", "-p", "xdist", "-p", "pytest_ciopt.plugin", *QUIET)
    return made.pytester.runpytest_subprocess(*plugins, "-p", "no:cacheprovider", *arguments)


def recorded(kind: str = "benchmark") -> list[dict[str, Any]]:
    """Lines of a kind of the newest segment."""
    newest = max(Path(".ciopt/segments").iterdir())
    lines = map(json.loads, gzip.decompress(newest.read_bytes()).splitlines())
    return [line for line in lines if line["kind"] == kind]
