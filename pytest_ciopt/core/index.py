"""Who imports a name: the import graph of a repository, keyed by names instead of files.

Names are resolved when a question is asked, not when the index is built: adding, renaming or
removing files changes only what those files themselves import, never the rest of the index.
Pure; `adapters/index_cache.py` keeps one on disk.
"""

from array import array
from bisect import bisect_left
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layer:
    """Sorted names and, for each, which files import it.

    `owners[starts[i]:starts[i + 1]]` are positions in `files` of those that import `names[i]`.
    """

    files: Sequence[str]
    names: Sequence[str]
    starts: "array[int]"
    owners: "array[int]"

    def between(
        self, low: str, high: str, without: Container[str] = ()
    ) -> Iterator[tuple[str, str]]:
        """(name, file) for the names in [low, high), but for files in `without`."""
        first, last = bisect_left(self.names, low), bisect_left(self.names, high)
        if first == last:
            return
        files = self.files
        wanted = {
            owner
            for owner in set(self.owners[self.starts[first] : self.starts[last]])
            if files[owner] not in without
        }
        if not wanted:
            return  # the usual case in a search that has been here before
        for position in range(first, last):
            for owner in self.owners[self.starts[position] : self.starts[position + 1]]:
                if owner in wanted:
                    yield self.names[position], files[owner]


def layer(scans: Mapping[str, Iterable[str]]) -> Layer:
    """Builds a layer from what each file imports."""
    files = sorted(scans)
    importers: dict[str, list[int]] = {}
    for position, path in enumerate(files):
        for name in scans[path]:
            importers.setdefault(name, []).append(position)
    names = sorted(importers)
    starts, owners = array("I", [0]), array("I")
    for name in names:
        owners.extend(importers[name])
        starts.append(len(owners))
    return Layer(files, names, starts, owners)


def scans(source: Layer) -> dict[str, list[str]]:
    """What each file imports; the inverse of `layer`."""
    found: dict[str, list[str]] = {path: [] for path in source.files}
    for name, path in source.between("", chr(0x10FFFF)):
        found[path].append(name)
    return found


@dataclass(frozen=True, slots=True)
class ImportIndex:
    """A stored layer, corrected by one that was scanned now."""

    files: Sequence[str]
    """Every Python file, sorted."""
    stored: Layer
    stale: frozenset[str]
    """Files of the stored layer that no longer exist or have other content."""
    fresh: Layer
    base: Layer | None = None
    """What changed files imported before the change."""

    def importers(self, name: str) -> tuple[str, ...]:
        """Files that import exactly this name (or carry this `Flag`), sorted."""
        return tuple(sorted({path for _, path in self.between(name, name + "\0")}))

    def importers_below(self, name: str, without: Container[str] = ()) -> Iterator[tuple[str, str]]:
        """(name, file) for each file that imports this name or one below it, nearest first.

        Importing `a.b.c` loads `a` and `a.b` too, so whoever imports a name below imports this.
        """
        separator = "/" if "/" in name[:2] else "."
        yield from self.between(name, name + "\0", without)
        yield from self.between(name + separator, name + chr(ord(separator) + 1), without)

    def marked(self, mark: str) -> dict[str, list[str]]:
        """Files by name, for all names that begin with a one-character mark, which is cut off."""
        found: dict[str, list[str]] = {}
        for name, path in self.between(mark, chr(ord(mark) + 1)):
            found.setdefault(name[1:], []).append(path)
        return found

    def between(
        self, low: str, high: str, without: Container[str] = ()
    ) -> Iterator[tuple[str, str]]:
        """(name, file) for the names in [low, high), but for files in `without`."""
        yield from self.fresh.between(low, high, without)
        if self.base is not None:
            yield from self.base.between(low, high, without)
        for name, path in self.stored.between(low, high, without):
            if path not in self.stale:
                yield name, path

    def below(self, folder: str) -> Sequence[str]:
        """Python files at or below a folder, sorted."""
        if not folder:
            return self.files
        low, high = bisect_left(self.files, folder + "/"), bisect_left(self.files, folder + "0")
        return self.files[low:high]
