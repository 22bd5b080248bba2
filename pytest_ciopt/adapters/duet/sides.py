"""Both trees of a duet: runs benchmarks in one of them, and proves whose code was measured."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from pytest_ciopt.adapters.duet.checkout import checked_out, files_of
from pytest_ciopt.adapters.duet.child import NotMeasured, Place, Wanted, ask, mapped
from pytest_ciopt.adapters.git import Git
from pytest_ciopt.core.gates.answers import Answer, Tree
from pytest_ciopt.core.gates.origins import built, stranger, wanted_roots
from pytest_ciopt.core.history.rounds import CPU

_WHOSE = {Tree.BASE: "the base's code", Tree.HEAD: "the code of this tree"}


class Sides:
    """Implements `usecases.duet.Measure`."""

    def __init__(self, places: Mapping[Tree, Place], files: Mapping[Tree, Collection[str]]) -> None:
        """`files` are those of the trees, from their tops."""
        self._places = dict(places)
        self._files = files
        self._built: frozenset[str] = frozenset()
        """Extension modules of the head that git ignores."""

    def look(self, tests: frozenset[str] | None) -> Answer:
        """Measures the head on the CPU clock, and learns what code its benchmarks import.

        The folders of that code go first in both trees from then on: an installation may lead to
        only one of them, or to neither. Raises: NotMeasured, OSError.
        """
        place = self._places[Tree.HEAD]
        found = ask(place, Wanted(tests, CPU))
        top = place.top.resolve().as_posix()
        roots = wanted_roots(found.modules, top, self._files[Tree.HEAD])
        self._built = built(found.modules, top, self._files[Tree.HEAD])
        self._places = {tree: replace(one, roots=roots) for tree, one in self._places.items()}
        return found

    def __call__(self, tree: Tree, wanted: Wanted) -> Answer:
        """Raises: NotMeasured where it is not the code of the tree that would be measured;
        OSError."""
        (other,) = self._places.keys() - {tree}
        found = ask(self._places[tree], wanted)
        own, others = (self._places[one].top.resolve().as_posix() for one in (tree, other))
        wrong = stranger(found.modules, own, others, self._files[tree])
        if wrong is not None:
            raise NotMeasured(f"{_WHOSE[tree]} is not what is imported: {wrong}")
        lacking = sorted(self._built - found.modules.keys())
        if lacking and found.collected:
            what = f"the {tree} lacks the extension module {lacking[0]}, which git ignores"
            raise NotMeasured(what, "Its benchmarks cannot be compared without a build.")
        return found


@contextmanager
def opened(git: Git, commit: str, here: Place) -> Iterator[Sides]:
    """The tree `here`, and that of a commit, which is checked out as long as it is wanted.

    Raises: GitError, NotMeasured, OSError.
    """
    with checked_out(git, commit) as tree:
        path = tuple(entry for one in here.path for entry in mapped(one, git.top, tree))
        places = {Tree.HEAD: here, Tree.BASE: replace(here, top=tree, path=path)}
        files = {Tree.HEAD: files_of(git), Tree.BASE: files_of(Git(tree))}
        yield Sides(places, files)
