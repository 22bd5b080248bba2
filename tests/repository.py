"""A real git repository with a project in it, on which plugin tests run real pytest."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

IDENTITY = (
    *("-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"),
    *("-c", "init.defaultBranch=main", "-c", "core.hooksPath=/dev/null"),
)


@dataclass(frozen=True, slots=True)
class Repository:
    """Files as text in, git commits and pytest runs out."""

    root: Path

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *IDENTITY, *arguments], cwd=self.root, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.write_text(dedent(content), encoding="utf-8")

    def commit(self, files: Mapping[str, str | bytes] | None = None) -> str:
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")

    def replace(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert old in text, text
        path.write_text(text.replace(old, new), encoding="utf-8")


def repository(root: Path, files: Mapping[str, str | bytes]) -> Repository:
    """A new repository whose first commit on `main` holds `files`."""
    root.mkdir(parents=True, exist_ok=True)
    made = Repository(root)
    made.git("init", "--quiet")
    made.commit(files)
    return made


@dataclass(frozen=True, slots=True)
class Decisions:
    """What `--ciopt-json` wrote."""

    document: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> "Decisions":
        return cls(json.loads(path.read_text(encoding="ascii")))

    @property
    def everything(self) -> str | None:
        found: str | None = self.document["everything"]
        return found

    @property
    def selected(self) -> dict[str, str]:
        """Reason by id."""
        return {t["id"]: t["reason"] for t in self.document["tests"] if t["selected"]}

    @property
    def dropped(self) -> dict[str, str]:
        """Reason by id, or by path for what was not imported."""
        tests = {t["id"]: t["reason"] for t in self.document["tests"] if not t["selected"]}
        modules = {m["path"]: m["reason"] for m in self.document["dropped_modules"]}
        return tests | modules
