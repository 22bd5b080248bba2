"""Paths as git has them, and files that people ask for."""

import os
from contextlib import suppress
from pathlib import Path


def root_of(folder: str | Path, top: str | Path) -> str:
    """What ids of tests begin with at the top of the repository; "" there, and outside."""
    place = place_of(folder, top)
    return "" if place in (None, ".") else str(place)


def folders_above(path: Path, top: Path) -> list[str]:
    """The folder of a file and those above it up to the top, "", as `root_of` tells them."""
    parts = root_of(path.parent, top).split("/")
    return ["/".join(parts[:end]) for end in range(len(parts), -1, -1)]


def place_of(path: str | Path, top: str | Path) -> str | None:
    """Repository-relative POSIX path, None outside. A symlink keeps its own name."""
    folder, name = os.path.split(path)
    real, base = os.path.join(os.path.realpath(folder), name), os.path.realpath(top)
    if real == base or os.path.realpath(path) == base:
        return "."
    inside = real.startswith(base + os.sep)
    return os.path.relpath(real, base).replace(os.sep, "/") if inside else None


def names_of(folder: str | Path) -> tuple[str, ...]:
    """A folder as it is called, and with symlinks resolved."""
    return str(folder), os.path.realpath(folder)


def homes() -> tuple[str, ...]:
    """Where the person keeps files who runs this process, as it was told and as the system says."""
    found = [os.path.expanduser("~")]
    with suppress(ImportError, KeyError):  # Windows; a container may run a user whom nobody knows
        import pwd

        found.append(pwd.getpwuid(os.getuid()).pw_dir)
    return tuple(name for home in found if os.path.isabs(home) for name in names_of(home))


def write_text(path: Path, text: str) -> None:
    """Writes a file that somebody asked for, and makes the folders around it. Raises: OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
