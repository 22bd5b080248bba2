"""What is asked of the sources, and what their names are called. Pure."""

from collections.abc import Collection, Iterable
from typing import Protocol

from pytest_ciopt.core.edits.definitions import Definition, Module
from pytest_ciopt.core.edits.places import Places


class Sources(Protocol):
    """The texts of the working tree."""

    def cut(self, path: str) -> Module | None:
        """The definitions of a file as it is now; None when it cannot be parsed."""

    def mentions(self, path: str, word: str) -> bool:
        """Whether the word stands anywhere in a file. Quick, for every file is asked."""

    def hands(self, path: str, word: str) -> bool:
        """Whether the word may stand as an argument of a call in a file. Quick, too."""

    def around(self, path: str, word: str) -> Module | None:
        """As `cut`, but of what does not mention the word a part may be left out."""

    def users(self, path: str) -> frozenset[str]:
        """Files that can see what a file defines, itself included: they import it, or pytest
        brings the two together."""

    def is_collected(self, path: str) -> bool:
        """Whether pytest loads the file itself: a test module or a conftest."""

    def is_own(self, top: str) -> bool:
        """Whether a top-level name may be a module of the repository; "" always is."""

    def binds_unseen(self, path: str) -> bool:
        """Whether a file may bind names that no definition shows: by a star import, or through a
        dictionary."""

    def loads_by_name(self, path: str) -> bool:
        """Whether some file that can see a module may load modules by names that it computes, or
        the module may be loaded by its simple name alone."""

    def imported(self, user: str, level: int, module: str) -> Collection[str]:
        """Files that `from module import …` in a file may mean; `level` counts the dots."""

    def checks_types(self) -> bool:
        """Whether something may make functions check their annotations that does not decorate
        them."""

    def meets_installed(self, path: str) -> bool:
        """Whether some file that can see a module imports code that is neither the project's, nor
        Python's or pytest's."""

    def is_led_to(self, path: str) -> bool:
        """Whether something leads a framework to a module (settings, a string, data): it loads
        that, and may use whatever is in it."""

    def is_looked_up(self, path: str, name: str) -> bool:
        """Whether a framework that is led to a module may look up a name in it that nobody
        mentions."""

    def naming(self, word: str) -> Iterable[str]:
        """Files in which a word stands."""

    def defining(self, name: str) -> Iterable[str]:
        """Files in which a name may be defined, at whatever level."""

    def then(self, path: str) -> Module | None:
        """The definitions of a file as it was when the record was made; None if nobody knows."""

    def places(self, path: str) -> Places | None:
        """Which definitions stood where when the record was made; None if nobody knows."""

    def loads_otherwise(self, path: str) -> str | None:
        """Why a module whose imports changed may load something else when it is imported, of what
        was loaded when the record was made, or in another order; None if it does not."""

    def imports_new(self, path: str, definition: Definition) -> bool:
        """Whether an import may load a module that was not loaded when the record was made."""


def is_special(name: str) -> bool:
    """Whether Python gives a name its meaning."""
    return name.startswith("__") and name.endswith("__") and name != "__doc__"


def called_as(name: str) -> str:
    """What a caller of a function writes: for `C.__init__` the name of the class."""
    scope, _, simple = name.rpartition(".")
    return simple_name(scope) if scope and is_special(simple) else simple


def simple_name(name: str) -> str:
    """A qualified name without its scope."""
    return name.rpartition(".")[2]
