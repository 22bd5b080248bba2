"""Which files and functions pytest would collect as tests, by its `python_*` options. Pure."""

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase, translate
from functools import lru_cache

from pytest_ciopt.settings import Discovery

CONFTEST = "conftest.py"
_PLAIN_END = re.compile(r"[^]*?/[]*\Z")


def is_test_module(path: str, tests: Discovery) -> bool:
    """**Source:** pytest's `python_files`: a pattern with a slash is matched against the path."""
    return path.endswith(".py") and _matches(tests.files, path)


def test_modules(paths: Iterable[str], tests: Discovery) -> Iterator[str]:
    """Those of the paths that are test modules; sooner told of many at once."""
    of_names, of_paths = _patterns(tests.files)
    match = of_names.match
    for path in paths:
        if path.endswith(".py") and (
            match(path, path.rfind("/") + 1)
            or (of_paths is not None and of_paths.match(path) is not None)
        ):
            yield path


def is_collected(path: str, tests: Discovery) -> bool:
    """Whether pytest itself loads the module: a test module or a conftest."""
    return path.rpartition("/")[2] == CONFTEST or is_test_module(path, tests)


def is_text_test(path: str, tests: Discovery) -> bool:
    """Whether a text file's doctests are collected; a Python file never counts as text."""
    return not path.endswith(".py") and _matches(tests.doctest_globs, path)


def plain_end(glob: str) -> str:
    """What every path that the glob matches ends with: `test*.txt` gives `.txt`."""
    return _PLAIN_END.search(glob)[0]  # type: ignore[index]  # it matches the empty text, too


def _matches(globs: tuple[str, ...], path: str) -> bool:
    of_names, of_paths = _patterns(globs)
    return of_names.match(path, path.rfind("/") + 1) is not None or (
        of_paths is not None and of_paths.match(path) is not None
    )


@lru_cache(maxsize=64)
def _patterns(globs: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str] | None]:
    """One expression for all globs of each kind, since every file of a repository is asked about.

    A glob without a slash is matched against the name alone.
    """
    of_names = "|".join(translate(glob) for glob in globs if "/" not in glob)
    of_paths = "|".join(rf"(?:.*/)?(?:{translate(glob)})" for glob in globs if "/" in glob)
    return re.compile(of_names or "(?!)"), re.compile(of_paths) if of_paths else None


def is_test_function(name: str, tests: Discovery) -> bool:
    """By pytest's `python_functions`: a prefix or a glob. unittest's methods begin with `test`."""
    return name.startswith("test") or any(
        name.startswith(option) or ("*" in option and fnmatchcase(name, option))
        for option in tests.functions
    )
