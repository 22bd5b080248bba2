"""Which files and functions pytest would collect as tests, by its `python_*` options. Pure."""

import re
from fnmatch import fnmatchcase, translate
from functools import lru_cache

from pytest_ciopt.settings import Discovery

CONFTEST = "conftest.py"
_PLAIN_END = re.compile(r"[^]*?/[]*\Z")


def is_test_module(path: str, tests: Discovery) -> bool:
    """**Source:** pytest's `python_files`: a pattern with a slash is matched against the path."""
    return path.endswith(".py") and _pattern(tests.files).match(path) is not None


def is_collected(path: str, tests: Discovery) -> bool:
    """Whether pytest itself loads the module: a test module or a conftest."""
    return path.rpartition("/")[2] == CONFTEST or is_test_module(path, tests)


def is_text_test(path: str, tests: Discovery) -> bool:
    """Whether a text file's doctests are collected; a Python file never counts as text."""
    return not path.endswith(".py") and _pattern(tests.doctest_globs).match(path) is not None


def plain_end(glob: str) -> str:
    """What every path that the glob matches ends with: `test*.txt` gives `.txt`."""
    return _PLAIN_END.search(glob)[0]  # type: ignore[index]  # it matches the empty text, too


@lru_cache(maxsize=64)
def _pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    """One expression for all globs, since every file of a repository is asked about."""
    return re.compile("|".join(rf"(?:.*/)?(?:{_tail(glob)})" for glob in globs) or r"(?!)")


def _tail(glob: str) -> str:
    """In a glob without a slash `*` stays within a name, as the name alone is matched."""
    expression = translate(glob)
    return expression if "/" in glob else rf"(?=[^/]*\Z){expression}"


def is_test_function(name: str, tests: Discovery) -> bool:
    """By pytest's `python_functions`: a prefix or a glob. unittest's methods begin with `test`."""
    return name.startswith("test") or any(
        name.startswith(option) or ("*" in option and fnmatchcase(name, option))
        for option in tests.functions
    )
