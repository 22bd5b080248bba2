"""The one line that is kept of a failure, and the folders that are not."""

import pytest

from pytest_ciopt.core.history.encoding import MAX_TEXT
from pytest_ciopt.core.history.failures import Folders, first_line

UNKNOWN_FIXTURE = """file /home/ann/shop/test_a.py, line 2
  def test_a(nothing): pass
E       fixture 'nothing' not found
>       available fixtures: cache, capfd
>       use 'pytest --fixtures [testpath]' for help on them.

/home/ann/shop/test_a.py:2"""
SYNTAX = """/usr/lib/python3.13/ast.py:54: in parse
    return compile(source, filename, mode, flags,
E     File "/home/ann/shop/test_a.py", line 1
E       def x(:
E             ^
E   SyntaxError: invalid syntax"""
CHAINED = """test_a.py:1: in <module>
    import nothing
E   ModuleNotFoundError: No module named 'nothing'

During handling of the above exception, another exception occurred:
test_a.py:3: in <module>
    raise ImportError("first\\nsecond")
E   ImportError: first
E   second"""
MISMATCH = """import file mismatch:
imported module 'test_a' has this __file__ attribute:
  /home/ann/shop/a/test_a.py
which is not the same as the test file we want to collect:
  /home/ann/shop/b/test_a.py
HINT: remove __pycache__ / .pyc files and/or use a unique basename"""
CUSTOM = """usecase execution failed
   spec failed: 'a': 'b'
   no further details known at this point."""
DOCTEST = "007 \n008 >>> f()\n{}\n\n/home/ann/shop/test_a.py:8: DocTestFailure"
RAISED = """013 >>> 1/0
UNEXPECTED EXCEPTION: ZeroDivisionError('division by zero')
Traceback (most recent call last):
  File "<doctest a.g[0]>", line 1, in <module>
ZeroDivisionError: division by zero
/home/ann/shop/a.py:13: UnexpectedException"""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (UNKNOWN_FIXTURE, "fixture 'nothing' not found"),
        (SYNTAX, "SyntaxError: invalid syntax"),
        (CHAINED, "ImportError: first"),
        (
            MISMATCH,
            "import file mismatch: imported module 'test_a' has this __file__ attribute: "
            "/home/ann/shop/a/test_a.py",
        ),
        (CUSTOM, "usecase execution failed"),
        (DOCTEST.format("Expected:\n    3\n    4\nGot:\n    2"), "Expected: 3, Got: 2"),
        (DOCTEST.format("Expected:\n    3\nGot nothing"), "Expected: 3, Got nothing"),
        (DOCTEST.format("Expected nothing\nGot:\n    2"), "Expected nothing, Got: 2"),
        (DOCTEST.format("Differences (ndiff):\n    - 3\n    + 2"), "Differences (ndiff): - 3"),
        (DOCTEST.format("  "), "008 >>> f()"),
        (RAISED, "ZeroDivisionError('division by zero')"),
        ("Traceback (most recent call last):\n  File x\nOSError: no\n", "OSError: no"),
        ("\n[XPASS(strict)] why\n", "[XPASS(strict)] why"),
        ("only this:\n\n", "only this:"),
        ("E\n", "E"),
        ("", ""),
    ],
)
def test_what_failed(text: str, line: str) -> None:
    assert first_line(text) == line


FOLDERS = Folders(["/home/ann/shop", "/var/shop"], ["/home/ann", "C:\\Users\\ann", "/"])


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("no '/home/ann/shop/data/a.csv'", "no 'data/a.csv'"),
        ("in /var/shop/a.csv", "in a.csv"),
        ("file:///var/shop/a.csv", "file:a.csv"),
        ("'/home/ann/shop' or '/home/ann/shop/'", "'.' or './'"),
        ("/home/ann/shop. Or /home/ann/shop.py", ".. Or ~/shop.py"),
        ("/home/ann/shop-2/a.csv", "~/shop-2/a.csv"),
        ("/mnt/var/shop/a.csv", "/mnt/var/shop/a.csv"),
        ("/home/anna/a.csv and /home/ann", "/home/anna/a.csv and ~"),
        ("/mnt/home/ann/a.csv", "/mnt~/a.csv"),
        (r"'C:\\Users\\ann\\a.csv' C:\Users\ann\a.csv", r"'~\\a.csv' ~\a.csv"),
        ("/tmp/pytest-of-ann/pytest-3/a", "/tmp/pytest-of-~/pytest-3/a"),
        ("first /\nsecond", "first /"),
    ],
)
def test_folders_of_a_person_are_not_kept(text: str, kept: str) -> None:
    assert FOLDERS.kept(text) == kept


def test_what_is_cut_is_cut_behind_the_folders() -> None:
    text = "x" * (MAX_TEXT - 5) + " /home/ann/a"
    assert FOLDERS.kept(text) == "x" * (MAX_TEXT - 5) + " ~/a"
