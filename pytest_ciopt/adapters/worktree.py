"""The files of a working tree and what differs from the base, as git sees them.

Three questions to git answer everything: `ls-files` (what is tracked), `status` (what differs
from the index, is untracked or ignored) and `diff-index --cached` (index against base). Content
that git may not tell the truth about (assume-unchanged, skip-worktree) is read and hashed here.
"""

import os
import re
import time
from collections.abc import Iterable, Iterator

from pytest_ciopt.adapters import listing_cache
from pytest_ciopt.adapters.git import Git, GitError
from pytest_ciopt.adapters.listing import LINK, QUESTION, SUBMODULE, Listing, Tracked, entry_of
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.change import Change, FileChange, Status

_BYTECODE = re.compile(r"(?:^\? |/)__pycache__/[^/]+\.py[co]\Z")
"""What Python itself writes beside a module, and never reads without it."""


_HEAD = ("--branch", "--no-ahead-behind")
"""Has `git status` tell which commit it compares the index with."""
_OID = "# branch.oid "


class Worktree:
    """Reads one working tree through git. What git lists is kept in `state`, if there is one."""

    def __init__(self, git: Git, state: StateDir | None = None) -> None:
        self._git, self._state = git, state
        self.top = git.top

    def listing(self) -> Listing:
        """Asks git which files there are. Raises: GitError."""
        listing = self._tracked()
        self._add_status(listing)
        self._add_hidden(listing)
        return listing

    def _tracked(self) -> Listing:
        asked = time.time_ns()
        index = None if self._state is None else listing_cache.index_id(self._git.index)
        if index is None or self._state is None:
            return Listing(self._git.run(*QUESTION), asked)
        listing = listing_cache.load(self._state, index, asked)
        if listing is None:
            listing = Listing(self._git.run(*QUESTION), asked)
            listing_cache.save(self._state, index, listing)
        return listing

    def _add_status(self, listing: Listing) -> None:
        options = ("--porcelain=v2", "-z", "-uall", "--ignored=matching", "--no-renames")
        head, staged = "", False
        for record in self._git.records("status", *options, "--ignore-submodules=none", *_HEAD):
            kind = record[:2]
            if kind == "? ":
                if not _BYTECODE.search(record):
                    listing.untracked.append(record[2:])
            elif kind == "! ":
                listing.ignored.append(record[2:])
            elif kind == "1 ":
                facts = record.split(" ", 8)
                staged = staged or facts[1][0] != "."
                if facts[1][1] != ".":
                    listing.dirty[facts[8]] = "" if facts[1][1] == "D" else facts[5]
            elif kind == "u ":
                facts = record.split(" ", 10)
                staged = True
                listing.dirty[facts[10]] = facts[6] if self._exists(facts[10]) else ""
            elif record.startswith(_OID):
                head = record.removeprefix(_OID)
            elif kind != "# ":  # another header
                raise GitError(f"`git status` answered {record[:60]!r}")
        listing.clean = None if staged else head

    def _add_hidden(self, listing: Listing) -> None:
        """Files that git does not look at: in a sparse checkout they may simply be absent."""
        for path, facts in listing.odd.items():
            if not (entry := entry_of(facts)).hidden:
                continue
            if not self._exists(path):
                listing.dirty[path] = ""
            elif self._blob(path, entry.mode) != entry.blob:
                listing.dirty[path] = entry.mode

    def change(self, base: str, listing: Listing) -> Change:
        """Everything that differs between the commit `base` and the working tree."""
        found = {change.path: change for change in self._staged(base, listing)}
        for path, mode in listing.dirty.items():
            entry = listing.entry(path)
            known = found.pop(path, None)
            if entry is not None and entry.sparse and mode == "" and known is None:
                continue  # absent from a sparse checkout, and not changed
            change = self._dirty(path, mode, entry, known)
            if change is not None:
                found[path] = change
        for path in listing.untracked:
            found[path.rstrip("/")] = self._untracked(path, found.get(path))
        return Change(tuple(found[path] for path in sorted(found)))

    def _staged(self, base: str, listing: Listing) -> Iterator[FileChange]:
        if listing.clean == base:
            return  # git has compared the two already
        options = ("--cached", "--raw", "-z", "-M", "-l400", "--abbrev=64", "--no-ext-diff")
        records = self._git.records("diff-index", *options, "--ignore-submodules=none", base, "--")
        for facts in records:
            old_mode, new_mode, old, new, letter = facts.lstrip(":").split(" ")
            path = next(records)
            before = old if old.strip("0") else None
            if letter[0] in "RC":
                target = next(records)
                if letter[0] == "R":
                    yield FileChange(path, Status.DELETED, before=before)
                yield FileChange(target, Status.RENAMED, renamed_from=path, before=before)
            else:
                status = _status(letter[0], old_mode, new_mode, old == new)
                yield FileChange(path, status, before=before)

    def _dirty(
        self, path: str, mode: str, entry: Tracked | None, staged: FileChange | None
    ) -> FileChange | None:
        """The change of a file whose working tree differs from the index."""
        before = staged.before if staged is not None else entry.blob if entry else None
        if before is not None and not before.strip("0"):
            before = None
        renamed = staged.renamed_from if staged is not None else None
        if mode == "":
            return FileChange(path, Status.DELETED, before=before) if before or renamed else None
        if before is None or renamed:
            return FileChange(path, Status.RENAMED if renamed else Status.ADDED, renamed, before)
        was = entry.mode if entry is not None else mode
        if SUBMODULE in (mode, was):
            return FileChange(path, Status.SUBMODULE)
        if staged is None and mode == was:
            return FileChange(path, _status("M", was, mode, same_content=False), before=before)
        same = self._blob(path, mode) == before
        if same and mode == was:
            return None
        return FileChange(path, _status("M", was, mode, same), before=before)

    def _untracked(self, path: str, staged: FileChange | None) -> FileChange:
        """A file that git does not track; its removal may be staged at the same time."""
        before = staged.before if staged is not None else None
        if path.endswith("/"):  # a repository inside this one
            return FileChange(path[:-1], Status.SUBMODULE)
        if (self.top / path).is_symlink():
            return FileChange(path, Status.SYMLINK, before=before)
        return FileChange(path, Status.MODIFIED if before else Status.ADDED, before=before)

    # --- content ---------------------------------------------------------------------------------

    def read(self, path: str) -> bytes | None:
        """Content now, None when it cannot be read."""
        try:
            with open(self.top / path, "rb") as stream:
                return stream.read()
        except OSError:
            return None

    def contents(self, blobs: Iterable[str]) -> dict[str, bytes]:
        """Content of the base by blob id; missing ones are left out."""
        return self._git.contents(blobs)

    def content_id(self, path: str) -> str:
        """Git's id of what is there now, "" where nothing can be read."""
        return self._blob(path, LINK if (self.top / path).is_symlink() else "") or ""

    def _exists(self, path: str) -> bool:
        return os.path.lexists(self.top / path)

    def _blob(self, path: str, mode: str) -> str | None:
        from hashlib import sha1  # slow to import

        if mode == LINK:
            try:
                return blob_id(os.fsencode(os.readlink(self.top / path)))
            except OSError:
                return None
        try:
            with open(self.top / path, "rb") as stream:
                digest = sha1(b"blob %d\0" % os.fstat(stream.fileno()).st_size)
                while chunk := stream.read(1 << 20):
                    digest.update(chunk)
        except OSError:
            return None
        return digest.hexdigest()


def blob_id(content: bytes) -> str:
    """Git's id of a content, in repositories with SHA-1 (elsewhere it never matches)."""
    from hashlib import sha1

    return sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _status(letter: str, old_mode: str, new_mode: str, same_content: bool) -> Status:
    if SUBMODULE in (old_mode, new_mode):
        return Status.SUBMODULE
    if letter == "A":
        return Status.SYMLINK if new_mode == LINK else Status.ADDED
    if letter == "D":
        return Status.DELETED
    if old_mode != new_mode and LINK in (old_mode, new_mode):
        return Status.TYPE
    if new_mode == LINK:
        return Status.SYMLINK
    if same_content and old_mode != new_mode:
        return Status.MODE
    return Status.MODIFIED
