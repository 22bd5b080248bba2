"""Keeps fingerprints of sources whose text later runs may not find: git does not have it.

That is of edited files, and in a shallow clone of all: another one will not have its commit.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pytest_ciopt.adapters.git import Git, GitError
from pytest_ciopt.adapters.tracing.inputs import content_id
from pytest_ciopt.core.history.decoding import decoded
from pytest_ciopt.core.history.traces import ABSENT, CHANGED, Inputs, Source

_INPUTS = b'{"kind":"inputs"'


def loaded_in(lines: bytes) -> dict[str, str]:
    """Content ids of the sources that lines of a segment tell of, by path."""
    found: dict[str, str] = {}
    for line in lines.splitlines():
        record = decoded(line) if line.startswith(_INPUTS) else None
        if isinstance(record, Inputs):
            found.update(record.sources)
            # What only processes of tests loaded stands among the data.
            found.update((path, old) for path, old in record.data.items() if _is_source(path, old))
    return found


def _is_source(path: str, content: str) -> bool:
    return path.endswith((".py", ".pyw")) and content not in (ABSENT, CHANGED)


def fingerprints(git: Git, loaded: Mapping[str, str]) -> Iterator[Source]:
    """Of the files of a repository that have to be kept, in order of their paths."""
    try:
        missing = frozenset(loaded.values()) if git.is_shallow() else git.missing(loaded.values())
    except GitError:  # nor will a selection learn anything of git
        return
    for path, content in sorted(loaded.items()):
        if content in missing:
            missing -= {content}
            yield from _source(git.top / path, content)


def _source(path: Path, content: str) -> Iterable[Source]:
    """Nothing of a file that has changed again, or that cannot be parsed."""
    # Most recorded runs are of commits, and need none of it.
    from pytest_ciopt.core.edits import trees
    from pytest_ciopt.core.proof import prints

    try:
        tree = trees.parse(path.read_bytes())
    except OSError:
        return ()
    made = (
        None if tree is None or content_id(str(path)) != content else prints.source(content, tree)
    )
    return () if made is None else (made,)
