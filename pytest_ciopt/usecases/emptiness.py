"""Whether it is certain, before anything is imported, that nothing at all will run.

Asked only of a selection that selects no known test. Every "perhaps" is a no: then pytest starts
as usual, and the same selection is applied to what it collects.
"""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from pytest_ciopt.adapters import sources
from pytest_ciopt.adapters.listing import Listing
from pytest_ciopt.core.graph.index import ImportIndex
from pytest_ciopt.core.graph.scanner import Flag, plugin_names
from pytest_ciopt.core.selection import Selection, Verdict
from pytest_ciopt.core.testfiles import CONFTEST, is_test_module, is_text_test, plain_end
from pytest_ciopt.settings import Discovery
from pytest_ciopt.usecases.effects import Contents


def nothing_runs(
    selection: Selection,
    index: ImportIndex,
    contents: Contents,
    top: Path,
    listing: Listing,
    tests: Discovery,
) -> bool:
    """True only where neither a test, nor a conftest or plugin, can have a say."""
    if selection.everything is not None or index.importers(Flag.HOOKS):
        return False
    if selection.changed and index.importers(Flag.COLLECTS):
        return False
    if any(_may_run(path, selection, tests) for path in index.files):
        return False
    if _loads_unknown_plugins(index, contents):
        return False
    if selection.substantial and any(text_tests(listing, tests)):
        return False
    return not any(hidden_tests(top, listing, tests))


def _may_run(path: str, selection: Selection, tests: Discovery) -> bool:
    collected = tests.doctest_modules or is_test_module(path, tests)
    return collected and selection.verdict(path) is not Verdict.NONE


def _loads_unknown_plugins(index: ImportIndex, contents: Contents) -> bool:
    """Whether a conftest loads plugins from outside the repository, which may collect or select."""
    for path in index.importers(Flag.PLUGINS):
        if path.rpartition("/")[2] == CONFTEST:
            for name in plugin_names(contents.read(path) or b"") - {"pytester"}:
                module = name.replace(".", "/")
                ends = (f"{module}.py", f"{module}/__init__.py")
                if not any(f"/{file}".endswith(f"/{end}") for file in index.files for end in ends):
                    return True
    return False


def text_tests(listing: Listing, tests: Discovery) -> Iterator[str]:
    """Text files whose doctests are collected."""
    tracked = listing.ending(*map(plain_end, tests.doctest_globs))
    for group in (tracked, listing.untracked, listing.ignored):
        yield from (path for path in group if is_text_test(path, tests))


def hidden_tests(top: Path, listing: Listing, tests: Discovery) -> Iterator[str]:
    """Test modules that git does not tell about: ignored ones, and those of submodules."""
    folders = [path[:-1] for path in (*listing.ignored, *listing.untracked) if path.endswith("/")]
    walked = (
        path
        for folder in (*folders, *listing.submodules())
        if not _skipped(folder, tests.norecurse)
        for path in sources.python_below(top, folder, lambda name: _skipped(name, tests.norecurse))
    )
    files: Iterable[str] = (path for path in listing.ignored if path.endswith(".py"))
    return (path for group in (files, walked) for path in group if is_test_module(path, tests))


def _skipped(folder: str, norecurse: tuple[str, ...]) -> bool:
    """Whether pytest does not look into a folder, or into one above it."""
    return any(
        name == "__pycache__" or any(fnmatchcase(name, glob) for glob in norecurse)
        for name in folder.split("/")
    )
