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
OF_THE_BUILD = frozenset(
    (
        *("pyproject.toml", "setup.cfg", "tox.ini", "pytest.ini", ".pytest.ini", "pytest.toml"),
        *(".pytest.toml", "mypy.ini", ".mypy.ini"),
    )
)
"""Files of these kinds that name modules for other reasons, or are known by what they say."""
_RELATIVE = ".zcml"
"""Where a name that begins with a dot is that of a module beside the file."""
_ROOTS = ("", "src", "lib")
"""Folders in which modules are often found that are in no package."""

_BEFORE = r"(?<![^\s'\"=:,\[({>!|])"
_AFTER = r"(?![^\s'\"#,\])}<;|:=(])"
_DOTTED = r"(?:\.[A-Za-z_]\w*)*"


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
    files = list(files)
    packages = {folder_of(path) for path in files if path.endswith(f"/{INIT}")}
    found = {one.rpartition("/")[2] for one in packages if folder_of(one) not in packages}
    for folder in {folder_of(path) for path in files}:
        first, *more = folder.split("/")
        found.update((first, *(more[:1] if first not in packages else ())))
    for path in files:
        if folder_of(path) in _ROOTS:
            found.add(path.rpartition("/")[2].removesuffix(".py"))
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
        names = re.findall(rf"{_BEFORE}\.([A-Za-z_]\w*{_DOTTED}){_AFTER}".encode(), content)
        found.update(f"{folder}.{name.decode('ascii')}" for name in names)
    return tuple(sorted(found))


def _is_near(content: bytes, word: bytes) -> bool:
    return word + b"." in content or word + b":" in content


@lru_cache(8)
def _pattern(begin: tuple[str, ...]) -> re.Pattern[bytes]:
    tops = "|".join(map(re.escape, begin))
    return re.compile(rf"{_BEFORE}((?:{tops}){_DOTTED})(:[A-Za-z_][\w.]*)?{_AFTER}".encode())
