from fnmatch import fnmatchcase

import pytest

from pytest_ciopt.core.testfiles import (
    is_test_module,
    is_text_test,
    plain_end,
)
from pytest_ciopt.core.testfiles import (
    test_modules as modules_among,
)
from pytest_ciopt.settings import Discovery

PATHS = (
    *("test_a.py", "a_test.py", "pkg/test_a.py", "pkg/a_test.py", "pkg/a.py", "test_a/b.py"),
    *(
        "pkg/tests/check_a.py",
        "checks/a.py",
        "pkg/checks/a.py",
        "test_a.txt",
        "new\nline/test_b.py",
    ),
    *("test_.py", "_test.py", "pkg/xtest_a.py", "test_a.pyc", "[x].py", "doc/test.txt"),
)


@pytest.mark.parametrize(
    ("globs", "expected"),
    [
        (
            Discovery().files,
            "test_a.py a_test.py pkg/test_a.py pkg/a_test.py test_.py _test.py new\nline/test_b.py",
        ),
        (("check_*.py",), "pkg/tests/check_a.py"),
        (("checks/*.py",), "checks/a.py pkg/checks/a.py"),
        (("checks/*.py", "a_*.py"), "a_test.py pkg/a_test.py checks/a.py pkg/checks/a.py"),
        (("pkg/*.py",), "pkg/test_a.py pkg/a_test.py pkg/a.py pkg/tests/check_a.py"),
        (("[[]x].py",), "[x].py"),
        ((), ""),
    ],
)
def test_modules_by_their_names(globs: tuple[str, ...], expected: str) -> None:
    tests = Discovery(files=globs)
    found = [path for path in PATHS if is_test_module(path, tests)]
    if globs == ("pkg/*.py",):  # `*` crosses folders where the whole path is matched
        assert {"pkg/test_a.py", "pkg/tests/check_a.py"} <= set(found)
    else:
        assert sorted(found) == sorted(expected.split(" ") if expected else [])
    assert list(modules_among(PATHS, tests)) == found


@pytest.mark.parametrize(
    ("glob", "end"),
    [
        ("test*.txt", ".txt"),
        ("doc.rst", "doc.rst"),
        ("docs/*.md", ".md"),
        ("docs/a.md", "a.md"),
        ("te?t", "t"),
        ("a[bc]", ""),
        ("*", ""),
        ("", ""),
    ],
)
def test_what_matches_a_glob_ends_so(glob: str, end: str) -> None:
    assert plain_end(glob) == end
    tests = Discovery(doctest_globs=(glob,))
    for path in ("test_a.txt", "doc.rst", "x/doc.rst", "docs/a.md", "test", "ab", "a/text"):
        if is_text_test(path, tests) or fnmatchcase(path, glob):
            assert path.endswith(plain_end(glob))
