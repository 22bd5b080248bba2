"""Node ids, as far as they can be judged by the text of a test module. Pure."""

from collections.abc import Iterable, Iterator
from itertools import accumulate


def defines(source: bytes, within: str) -> bool:
    """Whether a test module plainly defines `Class::function[parameters]`.

    So that a mistyped id is found without importing the module.
    """
    from pytest_ciopt.core.edits.cutting import module  # slow to import, rarely needed
    from pytest_ciopt.core.edits.trees import parse

    tree = parse(source)
    name = within.partition("[")[0].replace("::", ".")
    return tree is not None and name in module(tree).definitions


def without_group(nodeid: str) -> str:
    """A node id as it is without `--dist=loadgroup`, under which xdist writes `@group` behind it.

    **Source:** xdist 3.6, `LoadGroupScheduling`. pytest 9.2 no longer lets it.
    """
    place = nodeid.rfind("@")
    return nodeid[:place] if place > nodeid.rfind("]") else nodeid


def module_of(nodeid: str) -> str:
    """The path in a node id."""
    return nodeid.partition("::")[0]


def names_of(nodeid: str) -> Iterator[str]:
    """Qualified names in a node id: `a.py::A::test[x::y]` has `A` and `A.test`."""
    names = nodeid.partition("[")[0].split("::")[1:]
    return accumulate(names, lambda around, name: f"{around}.{name}")


def placed_id(path: str, nodeid: str) -> str:
    """The id of a test in a file whose path from the top of the repository is known."""
    return path + nodeid[len(module_of(nodeid)) :]


def repository_id(root: str, nodeid: str) -> str:
    """A node id as it reads at the top of the repository: those of two rootdirs may be equal."""
    return f"{root}/{nodeid}" if root else nodeid


def within(root: str, ids: Iterable[str]) -> Iterable[str]:
    """Ids from the top of the repository as pytest has them in a rootdir: the other way round."""
    return (one.removeprefix(f"{root}/") for one in ids) if root else ids


def fixture_id(place: str, scope: str, name: str) -> str:
    """E.g. `tests/conftest.py::database (session)`; a plugin's has no place before the colons."""
    return f"{place}::{name} ({scope})"
