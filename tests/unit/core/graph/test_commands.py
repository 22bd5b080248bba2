import pytest

from pytest_ciopt.core.graph.commands import Names
from pytest_ciopt.core.graph.scanner import scan

NAMES = Names(["shop", "shop-report", "a.b"])


@pytest.mark.parametrize(
    "source",
    [
        'run(["shop-report"])',
        "run(['shop-report', '--help'])",
        'run("shop-report --help", shell=True)',
        'run(f"{folder}/shop-report --help", shell=True)',
        'run([bin / "shop-report"])',
        r'run(["Scripts\\shop-report.exe"])',
        'run("cd /tmp && shop-report", shell=True)',
        'run("cd /tmp;shop-report|tee log", shell=True)',
        'run("echo $(shop-report)", shell=True)',
        'run("echo `shop-report`", shell=True)',
        r'run("set -e\nshop-report\n", shell=True)',
        'run("timeout 5 shop-report", shell=True)',
        'run("""\n    shop-report\n    """, shell=True)',
    ],
)
def test_strings_that_start_a_command(source: str) -> None:
    assert "$shop-report" in NAMES.within(source.encode())
    assert "$shop-report" in scan(source.encode(), "tests", NAMES)


@pytest.mark.parametrize(
    "source",
    [
        "import shop",
        "from shop import prices",
        "from shop.report import x  # of a shop",
        'x = "my-shop"',
        'x = "shops"',
        'x = "shop.prices"',
        'x = "shop-report-2"',
        "x = 'the shop '",
        'x = "aXb"',
    ],
)
def test_what_starts_none(source: str) -> None:
    assert NAMES.within(source.encode()) == frozenset()
    assert not any(name.startswith("$") for name in scan(source.encode(), "", NAMES))


def test_each_name_is_told_apart() -> None:
    assert NAMES.within(b'["shop", "a.b"]') == {"$shop", "$a.b"}


def test_without_commands_nothing_is_looked_for() -> None:
    assert scan(b'run(["shop-report"])', "") == frozenset()
