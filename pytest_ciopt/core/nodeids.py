"""Node ids, as far as they can be judged by the text of a test module. Pure."""

from pytest_ciopt.core.edits.definitions import module
from pytest_ciopt.core.edits.trees import parse


def defines(source: bytes, within: str) -> bool:
    """Whether a test module plainly defines `Class::function[parameters]`.

    So that a mistyped id is found without importing the module.
    """
    tree = parse(source)
    name = within.partition("[")[0].replace("::", ".")
    return tree is not None and name in module(tree).definitions
