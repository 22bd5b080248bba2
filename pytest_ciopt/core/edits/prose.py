"""Whether a string is a sentence, in which words are no names. Pure."""

import ast
import re

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
