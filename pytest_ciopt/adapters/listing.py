"""Every file that matters, as git lists them: tracked, differing, untracked, ignored.

Of tracked files there can be very many, and few are asked about. So git's answer is kept as it
came, and searched or parsed on demand.
"""

import os
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

LINK, SUBMODULE = "120000", "160000"
_PLAIN = ("H 100644", "H 100755")
QUESTION = ("ls-files", "-s", "-v", "-z")
"""What is asked of git about tracked files."""


class Tracked(NamedTuple):
    """One entry of git's index."""

    mode: str
    blob: str
    hidden: bool
    """Whether git was told not to look at the file (assume-unchanged, skip-worktree)."""
    sparse: bool = False
    """Whether it may be absent without having been deleted (skip-worktree)."""


def entry_of(facts: str) -> Tracked:
    """Git's words on a file: tag, mode, blob id, stage."""
    tag, mode, blob, _stage = facts.split(" ")
    return Tracked(mode, blob, hidden=tag == "S" or tag.islower(), sparse=tag in "Ss")


class Listing:
    """Every file that matters, by repository-relative POSIX path."""

    def __init__(
        self,
        answer: bytes,
        asked: int = 0,
        key: str | None = None,
        odd: dict[str, str] | None = None,
    ) -> None:
        """`key` and `odd` are those of the same answer, where they are known already."""
        self.answer = answer
        """Git's, to `QUESTION`."""
        self.asked = asked
        """When git was asked, in nanoseconds of the epoch."""
        self.key = _key(answer) if key is None else key
        """Equal for equal answers."""
        self.odd = dict(self._odd()) if odd is None else odd
        """Git's words on the few that are no plain files: links, submodules, hidden and unmerged
        ones."""
        self.dirty: dict[str, str] = {}
        """Tracked files whose working tree differs from the index: mode now, "" when deleted."""
        self.clean: str | None = None
        """The commit that the index is equal to, where git has said so."""
        self.untracked: list[str] = []
        self.ignored: list[str] = []
        """Ignored files, and ignored folders with a slash at the end."""

    def _odd(self) -> Iterator[tuple[str, str]]:
        for record in self._records:
            if not record.startswith(_PLAIN):
                facts, _, path = record.partition("\t")
                yield path, facts

    @cached_property
    def _records(self) -> list[str]:
        return os.fsdecode(self.answer).split("\0")[:-1]

    def entry(self, path: str) -> Tracked | None:
        """What the index knows of a file, None when it is not tracked."""
        mark = b"\t%s\0" % os.fsencode(path)
        end = self.answer.rfind(mark)  # of several stages the last
        while end >= 0:
            start = self.answer.rfind(b"\0", 0, end) + 1
            facts = self.answer[start:end]
            if b"\t" not in facts:  # else it is another path, which has a tab in it
                return entry_of(os.fsdecode(facts))
            end = self.answer.rfind(mark, 0, end + 1)
        return None

    def ending(self, *suffixes: str) -> list[str]:
        """Tracked files whose path ends in one of the ways, sorted; sooner told than all."""
        return sorted({path for suffix in suffixes for path in self._ending(suffix)})

    def _ending(self, suffix: str) -> Iterator[str]:
        mark = b"%s\0" % os.fsencode(suffix)
        position = self.answer.find(mark)
        while position >= 0:
            end = position + len(mark) - 1
            record = self.answer[self.answer.rfind(b"\0", 0, position) + 1 : end]
            path = record.partition(b"\t")[2]
            if len(path) >= len(mark) - 1:
                yield os.fsdecode(path)
            position = self.answer.find(mark, end + 1)

    def sources(self) -> dict[str, str]:
        """Tracked Python files that are no symlinks, with the blob id of each."""
        return self.blobs(".py")

    def blobs(self, *suffixes: str) -> dict[str, str]:
        """As `sources`, of files whose path ends in one of the ways."""
        pairs = (record.partition("\t") for record in self._records if record.endswith(suffixes))
        return {path: facts.split(" ")[2] for facts, _, path in pairs if facts[2:8] != LINK}

    def submodules(self) -> list[str]:
        """Folders that hold other repositories."""
        return [path for path, facts in self.odd.items() if facts[2:8] == SUBMODULE]

    def links(self) -> list[str]:
        """Tracked symlinks."""
        return [path for path, facts in self.odd.items() if facts[2:8] == LINK]


def _key(answer: bytes) -> str:
    from hashlib import sha1  # slow to import

    return sha1(answer).hexdigest()
