"""The folder `.ciopt/`: made when first written to, ignored by git and by backups.

Whoever writes here must live without: the repository may be read-only or the disk full.
"""

import contextlib
import os
from pathlib import Path

_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# A cache of pytest-ciopt.\n"
"""**Source:** Cache Directory Tagging Specification, https://bford.info/cachedir/."""


SEGMENTS = "segments"
"""Folder of recorded runs."""


class StateDir:
    """`.ciopt/` of a repository, or wherever `ciopt_dir` puts it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, content: bytes) -> str | None:
        """Replaces a file whole, so that readers see the old or the new one, never a part.

        Returns why it was not written, None when it was.
        """
        target = self.path / name
        try:
            self.make(target.parent)
            replace_whole(target, content)
        except OSError as error:
            return f"{self.path} cannot be written to: {error.strerror or error}"
        return None

    def read(self, name: str) -> bytes | None:
        """None when there is no such file, or it cannot be read."""
        try:
            return (self.path / name).read_bytes()
        except OSError:
            return None

    def make(self, folder: Path) -> None:
        """Makes a folder in it. Raises: OSError.

        A folder that did not exist before ignores itself; `ciopt_dir` may name one that did. A run
        that was killed may have left it without: then the folder inside does.
        """
        ours = folder if self.path.exists() else self.path
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in ((".gitignore", "*\n"), ("CACHEDIR.TAG", _TAG)):
            if not (self.path / name).exists() and not (ours / name).exists():
                (ours / name).write_text(content, encoding="ascii")


def replace_whole(target: Path, content: bytes) -> None:
    """Readers of `target` see the old or the new file, never a part. Raises: OSError."""
    temporary = target.with_name(f"{target.name}.{os.urandom(6).hex()}")
    try:
        with open(temporary, "xb") as stream:
            stream.write(content)
        os.replace(temporary, target)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def forget_older(newest: Path, seconds: float) -> None:
    """Removes JSON files beside a new one that were written so much earlier, where that may be
    done: nothing depends on it."""
    with contextlib.suppress(OSError):
        present = newest.stat().st_mtime
        for path in newest.parent.glob("*.json"):
            if present - path.stat().st_mtime > seconds:
                path.unlink(missing_ok=True)
