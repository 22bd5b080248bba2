"""Any line of a statement stands for its first one, which is the one that coverage.py counts."""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from pytest_ciopt.core.gates.statements import changed_statements

SOURCE = '''\
import os  # 1

@decorated(
    1,
)
def f(
    a,
    b,
):
    """Says
    much."""
    if (
        a
        and b
    ):
        return (
            1
        )
    else:
        x = 1; y = 2
    try:
        pass
    except (
        ValueError,
    ):
        raise
    match a:
        case [
            1,
        ]:
            pass


class C(
    object,
):
    x = [
        1,
    ]

    @property
    def p(self): return 1
'''


@pytest.mark.parametrize(
    ("line", "first"),
    [
        *((1, 1), (4, 3), (6, 6), (8, 6), (10, 10), (11, 10), (13, 12), (14, 12), (17, 16)),
        *((20, 20), (22, 22), (24, 23), (26, 26), (27, 27), (29, 28), (31, 31)),
        *((35, 34), (38, 37), (41, 41), (42, 42)),
    ],
)
def test_the_statement_of_a_line(line: int, first: int) -> None:
    assert changed_statements(SOURCE.encode(), [line]) == {first}


def test_all_lines_have_what_coverage_counts(tmp_path: Path) -> None:
    file = tmp_path / "source.py"
    file.write_text(SOURCE)
    # Not in this process: coverage.py, once used, no longer measures whoever uses it.
    code = (
        "from coverage import Coverage\n"
        f"print(*Coverage(data_file=None, config_file=False).analysis({str(file)!r})[1])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    statements = set(map(int, done.stdout.split()))
    assert len(statements) > 15
    assert statements <= changed_statements(SOURCE.encode(), None)


def test_a_text_that_is_no_python() -> None:
    assert changed_statements(b"def", [1, 2]) == {1, 2}
    assert changed_statements(b"def", None) == frozenset()
    assert changed_statements(dedent("x = 1\0").encode(), [1]) == {1}
