"""A small project whose tests do not cover all of it, and runs that measure coverage."""

from collections.abc import Callable

import pytest

from conftest import QUIET, Project

FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    ".coveragerc": "[run]\nsource = shop\nbranch = true\n",
    ".gitignore": ".coverage*\n",
    "shop/__init__.py": "",
    "shop/cart.py": """\
        def total(prices):
            if not prices:
                return 0
            return sum(prices)


        def discount(price, percent):
            return price * (100 - percent) / 100
        """,
    "shop/unused.py": "x = 1\n",
    "tests/test_cart.py": """\
        from shop.cart import total

        def test_total(): assert total([1]) == 1
        """,
    "tests/test_discount.py": """\
        from shop.cart import discount

        def test_discount(): assert discount(10, 50) == 5
        """,
}
COVERED = "66.66 %"
"""6 of 9 lines and branches: a line and a branch are missing, and a file that nobody imports."""
OURS = ("--ciopt-cov",)
Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(made: Project, start: Run) -> Run:
    """Runs pytest in the project."""
    return start


@pytest.fixture
def start(pytester: pytest.Pytester) -> Run:
    """In a process of its own, in which coverage.py measures nobody else."""

    def ran(*arguments: str) -> pytest.RunResult:
        plugins = ("-p", "no:cacheprovider", "-p", "pytest_ciopt.plugin", "-p", "xdist", *QUIET)
        return pytester.runpytest_subprocess(*plugins, *arguments)

    return ran


def told(result: pytest.RunResult) -> list[str]:
    """The lines of the section."""
    printed = result.outlines
    begin = next((n for n, line in enumerate(printed) if " gates (ciopt) " in line), len(printed))
    rest = printed[begin + 1 :]
    end = next((n for n, line in enumerate(rest) if line.startswith("===")), len(rest))
    return [line for line in rest[:end] if line and not line.startswith("ciopt: ")]
