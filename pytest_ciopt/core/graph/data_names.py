"""Names of modules in data: in configuration, descriptions of interfaces, tables of plugins. Pure.

Who reads `handler: shop.handlers.Loud` in a file may load `shop/handlers.py`, though no source
imports it. A name counts where it is a word of its own and begins as modules of the repository do.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from pytest_ciopt.core.naming import INIT, folder_of

SUFFIXES = (
    *(".yaml", ".yml", ".toml", ".json", ".ini", ".cfg", ".conf", ".env", ".properties"),
    *(".xml", ".zcml"),
)
"""Of files that may name modules."""
_RELATIVE = ".zcml"
"""Where a name that begins with a dot is that of a module beside the file."""
_DEPTH = 2
"""Folders of a path that a name may begin with, be they packages or not."""

_BEFORE = r"(?<![^\s'\"=:,\[({>!|])"
_AFTER = r"(?![^\s'\"#,\])}<;|])"
_DOTTED = r"(?:\.[A-Za-z_]\w*)*"
_BESIDE = re.compile(rf"{_BEFORE}\.([A-Za-z_]\w*{_DOTTED}){_AFTER}".encode())


class DataNames(NamedTuple):
    """What one file of data names."""

    path: str
    names: tuple[str, ...]
    """Of modules, packages, and of what is defined in a module (`shop.pets.search`), sorted."""

    def leads_to(self, name: str) -> bool:
        """Whether a module of that name, or something in it, is named."""
        return any(one == name or one.startswith(f"{name}.") for one in self.names)


def beginnings(files: Iterable[str]) -> tuple[str, ...]:
    """What names of the modules of some Python files begin with, sorted."""
    found, packages = set[str](), set[str]()
    for path in files:
        *folders, name = path.split("/")
        found.update(folders[:_DEPTH])
        if name == INIT:
            packages.add(folder_of(path))
        elif folders in ([], ["src"], ["lib"]):
            found.add(name.removesuffix(".py"))
    found.update(one.rpartition("/")[2] for one in packages if folder_of(one) not in packages)
    return tuple(sorted(name for name in found if name.isascii() and name.isidentifier()))


def named(content: bytes, path: str, begin: Sequence[str]) -> tuple[str, ...]:
    """As `DataNames.names`, of a file at a path; a name counts that has two parts or more, or
    names something in a module: `shop:main`."""
    found: set[str] = set()
    near = tuple(one for one in begin if _is_near(content, one.encode()))
    for match in _pattern(near).finditer(content) if near else ():
        if b"." in match[1] or match[2] is not None:
            found.add(match[1].decode("ascii"))
    if path.endswith(_RELATIVE):
        folder = folder_of(path).replace("/", ".")
        found.update(f"{folder}.{match[1].decode('ascii')}" for match in _BESIDE.finditer(content))
    return tuple(sorted(found))


def _is_near(content: bytes, word: bytes) -> bool:
    return word + b"." in content or word + b":" in content


@lru_cache(8)
def _pattern(begin: tuple[str, ...]) -> re.Pattern[bytes]:
    tops = "|".join(map(re.escape, begin))
    return re.compile(rf"{_BEFORE}((?:{tops}){_DOTTED})(:[A-Za-z_][\w.]*)?{_AFTER}".encode())
