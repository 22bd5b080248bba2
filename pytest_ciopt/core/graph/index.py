"""Who imports a name: the import graph of a repository, keyed by names instead of files.

Names are resolved when a question is asked, not when the index is built: adding, renaming or
removing files changes only what those files themselves import, never the rest of the index.
Pure; `adapters/index_cache.py` keeps one on disk.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple


class Layer(NamedTuple):
    """Sorted names and, for each, which files import it.

    `owners[starts[i]:starts[i + 1]]` are positions in `files` of those that import `names[i]`.
    """

    files: Sequence[str]
    names: Sequence[str]
    starts: "array[int]"
    owners: "array[int]"

    def between(self, low: str, high: str) -> list[tuple[str, str]]:
        """(name, file) for the names in [low, high)."""
        first = bisect_left(self.names, low)
        return [
            (self.names[position], self.files[owner])
            for position in range(first, bisect_left(self.names, high, first))
            for owner in self.owners[self.starts[position] : self.starts[position + 1]]
        ]

    def below(self, name: str, without: Container[str] = ()) -> dict[str, str]:
        """Files that import this name or one that stands below it, with the first such name.

        Files in `without` are left out.
        """
        found: dict[str, str] = {}
        for first, last in self.ranges(name):
            found = self._importers(first, last, without) | found
        return found

    def ranges(self, name: str) -> Iterator[tuple[int, int]]:
        """Positions [first, last) in `names` of this name, and of those that stand below it."""
        names = self.names
        first = bisect_left(names, name)
        if first < len(names) and names[first] == name:
            yield first, first + 1
        prefix = name + ("/" if "/" in name[:2] else ".")
        first = bisect_left(names, prefix, first)
        if first < len(names) and names[first].startswith(prefix):
            yield first, bisect_left(names, prefix[:-1] + chr(ord(prefix[-1]) + 1), first)

    def _importers(self, first: int, last: int, without: Container[str]) -> dict[str, str]:
        files, begin = self.files, self.starts[first]
        owners = self.owners[begin : self.starts[last]]
        wanted = {owner for owner in set(owners) if files[owner] not in without}
        found = {}
        for position, owner in enumerate(owners, begin) if wanted else ():
            if owner in wanted:
                found[files[owner]] = self.names[bisect_right(self.starts, position) - 1]
                wanted.remove(owner)
                if not wanted:
                    break
        return found


NOTHING = Layer((), (), array("I", [0]), array("I"))


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


def begins(names: Sequence[str], prefix: str) -> bool:
    """Whether one of the sorted names begins so."""
    first = bisect_left(names, prefix)
    return first < len(names) and names[first].startswith(prefix)


def continued(names: Sequence[str], prefix: str) -> set[str]:
    """The parts that follow `prefix`, which ends with a separator, in sorted names."""
    separator = "/" if prefix.endswith("/") else "."
    found: set[str] = set()
    position, end = bisect_left(names, prefix), len(names)
    while position < end and names[position].startswith(prefix):
        part, more, _ = names[position][len(prefix) :].partition(separator)
        found.add(part)
        position += 1
        if more:  # whatever else stands below the same name
            after = f"{prefix}{part}{chr(ord(separator) + 1)}"
            position = bisect_left(names, after, position)
    return found


class ImportIndex(NamedTuple):
    """A stored layer, corrected by one that was scanned now."""

    files: Sequence[str]
    """Every Python file, sorted."""
    stored: Layer
    stale: frozenset[str]
    """Files of the stored layer that no longer exist or have other content."""
    fresh: Layer
    base: Layer = NOTHING
    """What changed files imported before the change."""

    def importers(self, name: str) -> tuple[str, ...]:
        """Files that import exactly this name (or carry this `Flag`), sorted."""
        return tuple(sorted({path for _, path in self.between(name, name + "\0")}))

    def importers_below(self, name: str, without: Container[str] = ()) -> dict[str, str]:
        """Files that import this name or one below it, but for `without`, with the name.

        Importing `a.b.c` loads `a` and `a.b` too, so whoever imports a name below imports this.
        Where a file imports several, this name itself goes first.
        """
        found = self.stored.below(name, without)
        for path in self.stale.intersection(found) if self.stale else ():
            del found[path]
        for part in (self.fresh, self.base):
            if part.names:
                found = part.below(name, without) | found
        return found

    def begins(self, prefix: str) -> bool:
        """Whether an imported name begins so; perhaps only in files that are out of date."""
        return any(begins(part.names, prefix) for part in self._parts())

    def continued(self, prefix: str) -> set[str]:
        """The parts that follow `prefix` in imported names."""
        found: set[str] = set()
        for part in self._parts():
            found |= continued(part.names, prefix)
        return found

    def _parts(self) -> list[Layer]:
        return [part for part in (self.stored, self.fresh, self.base) if part.names]

    def marked(self, mark: str) -> dict[str, list[str]]:
        """Files by name, for all names that begin with a one-character mark, which is cut off."""
        found: dict[str, list[str]] = {}
        for name, path in self.between(mark, chr(ord(mark) + 1)):
            found.setdefault(name[1:], []).append(path)
        return found

    def between(self, low: str, high: str) -> list[tuple[str, str]]:
        """(name, file) for the names in [low, high)."""
        found = [pair for pair in self.stored.between(low, high) if pair[1] not in self.stale]
        return [*found, *self.fresh.between(low, high), *self.base.between(low, high)]

    def below(self, folder: str) -> Sequence[str]:
        """Python files at or below a folder, sorted."""
        if not folder:
            return self.files
        low, high = bisect_left(self.files, folder + "/"), bisect_left(self.files, folder + "0")
        return self.files[low:high]


class Left:
    """The files that a search has not reached yet, for one that does not ask which name was it.

    What is asked for most, the importers in the stored layer, is then one operation on sets of
    positions instead of a loop over names.
    """

    def __init__(self, index: ImportIndex, reached: Container[str]) -> None:
        """`reached` is kept by the search."""
        stored = index.stored
        self._stored, self._others = stored, (index.fresh, index.base)
        self._others_below = {part for o in self._others for n in o.names for part in _upwards(n)}
        """Names that the other layers import, and all above them."""
        self._reached = reached
        self._left = set(range(len(stored.files)))
        for path in index.stale:
            position = bisect_left(stored.files, path)
            if stored.files[position : position + 1] == [path]:  # a stale one may be no source
                self._left.remove(position)

    def importers_below(self, name: str) -> list[str]:
        """Files that import this name or one below it; each is given once for the stored layer."""
        stored = self._stored
        found: list[str] = []
        for first, last in stored.ranges(name):
            owners = stored.owners[stored.starts[first] : stored.starts[last]]
            wanted = self._left.intersection(owners)
            self._left -= wanted
            found += [stored.files[owner] for owner in sorted(wanted)]
        for other in self._others if name in self._others_below else ():
            found += other.below(name, self._reached)
        return found


def _upwards(name: str) -> Iterator[str]:
    """`a.b.c` gives itself, `a.b` and `a`; `/a/b` gives itself and `/a`."""
    separator = "/" if "/" in name[:2] else "."
    while name:
        yield name
        name = name.rpartition(separator)[0]
