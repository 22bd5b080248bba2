"""What a string is: a sentence, in which words are no names, or a type. Pure."""

import ast
import re

from pytest_ciopt.core.edits.trees import walk

_SENTENCE = re.compile(
    r"(?:^|\w\s+)(?:the|an|this|these|that|they|which|its|must|should|would|could|will|cannot|are"
    r"|were|does|has|have|be|been|because|when|where|instead|into|than)\s+\w",
    re.IGNORECASE,
)
"""Words that nobody gives to a variable, amid others: no list of names and no command has them."""
_NO_PROSE = re.compile(r"[{}%$<>=|\\@#\n]|\s-+\w")
"""In templates, markup, settings, and commands with options."""


def is_prose(text: str) -> bool:
    """Whether a text is a sentence, and no code."""
    if _SENTENCE.search(text) is None or _NO_PROSE.search(text) is not None:
        return False
    try:
        ast.parse(text.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    return False


def plain_names_of_type(text: str) -> frozenset[str]:
    """The plain names in a text that is a type with parameters, or one that may be missing, such as
    `t` and `A` in `t.Mapping[A, t.Any]`: wherever it is evaluated, it means by them what its module
    does. Nothing of other texts, be they a mere name, or with an index or a key."""
    if "[" not in text and "None" not in text:
        return frozenset()
    try:
        nodes = walk(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    if not isinstance(nodes[0], ast.Subscript | ast.BinOp):
        return frozenset()
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return frozenset(names - attributes if all(map(_is_of_type, nodes)) else ())


def _is_of_type(node: ast.AST) -> bool:
    match node:
        case ast.Name() | ast.Attribute() | ast.Subscript() | ast.Tuple() | ast.List():
            return True
        case ast.BinOp(op=ast.BitOr()) | ast.Constant(value=None):
            return True
    return False
