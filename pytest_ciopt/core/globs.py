"""Path patterns of the settings, in the manner of `.gitignore`. Pure text.

`*` and `?` stay within one folder, `**` crosses folders; a pattern without a slash matches the
name of a file in any folder; one that ends in a slash matches everything below that folder.
"""

import re
from collections.abc import Iterable
from functools import lru_cache


def first_match(path: str, patterns: Iterable[str]) -> str | None:
    """The first pattern that matches a repository-relative POSIX path."""
    return next((pattern for pattern in patterns if _compiled(pattern).fullmatch(path)), None)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    body = pattern.removeprefix("./")
    if not body.strip("/"):
        return re.compile(r"(?!)")  # it names nothing
    if body.endswith("/"):
        body += "**"
    anchored = "/" in body
    prefix = "" if anchored else "(?:.*/)?"
    return re.compile(prefix + _translated(body.removeprefix("/")), re.DOTALL)


def _translated(pattern: str) -> str:
    parts: list[str] = []
    for piece in re.split(r"(\*\*/|\*\*|\*|\?|\[!?[^\]]+\])", pattern):
        match piece:
            case "**/":
                parts.append("(?:.*/)?")
            case "**":
                parts.append(".*")
            case "*":
                parts.append("[^/]*")
            case "?":
                parts.append("[^/]")
            case _ if piece.startswith("[") and piece.endswith("]"):
                parts.append(_character_set(piece))
            case _:
                parts.append(re.escape(piece))
    return "".join(parts)


def _character_set(piece: str) -> str:
    inside = re.sub(r"([\\\[&|~])", r"\\\1", piece[1:-1])
    if inside.startswith("!"):
        inside = f"^/{inside[1:]}"
    try:
        re.compile(f"[{inside}]")
    except re.error:
        return re.escape(piece)
    return f"[{inside}]"
