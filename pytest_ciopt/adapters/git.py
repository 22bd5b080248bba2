"""Asks git, as a subprocess, with a neutral configuration and a cleaned environment.

Every question about the user's repository goes through here. Nothing is fetched from a network and
no lock is taken.
"""

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_ciopt.errors import CioptError

_KEPT = ("GIT_CONFIG_", "GIT_SSH", "GIT_ASKPASS", "GIT_EXEC_PATH", "GIT_SSL_", "GIT_CEILING_")
"""Prefixes of variables that carry `safe.directory`, credentials, or where git itself lies."""

_OMISSION = re.compile(rb"^(?:error: |warning: could not open)", re.MULTILINE)
"""What git says when it goes on without something, and then exits with 0."""
COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
"""A full id of an object, in either of git's hashes."""

_LITERAL = "--literal-pathspecs"
_NEUTRAL = (
    "--no-pager",
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.quotePath=false"),
    *("-c", "protocol.allow=never"),  # a partial clone would fetch missing blobs
)


class GitError(CioptError):
    """Git is missing, refuses, or answered something unexpected."""


class NoRepository(GitError):
    """There is nothing here that git knows of."""


class Git:
    """One working tree."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.top, self.index = self._places()
        """Top of the working tree, and where git's index of it lies, None when that is unclear."""
        self._folder = self.top

    def _places(self) -> tuple[Path, Path | None]:
        said = os.fsdecode(self._line("rev-parse", "--show-toplevel", "--git-path", "index"))
        top, _, index = said.partition("\n")
        if index and "\n" not in index:
            return Path(top), self._folder / index
        return Path(os.fsdecode(self._line("rev-parse", "--show-toplevel"))), None

    # --- commits ---------------------------------------------------------------------------------

    def commit(self, ref: str) -> str | None:
        """Full id of a commit, None when this clone does not have it."""
        asked = f"{ref}^{{commit}}"
        found = self._try("rev-parse", "--verify", "--quiet", "--end-of-options", asked)
        return found if found is not None and COMMIT.fullmatch(found) else None

    def merge_base(self, one: str, other: str) -> str | None:
        """Best common ancestor of two commits, None when this clone has none."""
        return self._try("merge-base", one, other)

    def parents(self, commit: str) -> tuple[str, ...]:
        """Ids that the commit object names, whether this clone has them or not."""
        head = self.run("cat-file", "commit", commit).partition(b"\n\n")[0]
        lines = head.decode("ascii", "replace").splitlines()
        return tuple(line[7:] for line in lines if line.startswith("parent "))

    def is_shallow(self) -> bool:
        """Whether older history was left out of this clone."""
        return self._line("rev-parse", "--is-shallow-repository") == b"true"

    # --- content ---------------------------------------------------------------------------------

    def contents(self, blobs: Iterable[str]) -> dict[str, bytes]:
        """Content by blob id; ids that this clone lacks are left out."""
        wanted = list(dict.fromkeys(blobs))
        if not wanted:
            return {}
        answer = self.run("cat-file", "--batch", stdin="\n".join(wanted).encode() + b"\n")
        found: dict[str, bytes] = {}
        position = 0
        for blob in wanted:
            end = answer.index(b"\n", position)
            header = answer[position:end].split()
            position = end + 1
            if len(header) != 3:  # "<id> missing"
                continue
            size = int(header[2])
            if header[1] == b"blob":
                found[blob] = answer[position : position + size]
            position += size + 1
        return found

    def renamed_since(self, commit: str) -> dict[str, str]:
        """Former paths by present ones, of files that were renamed between a commit and now.

        Files that git does not know yet are not looked at. Raises: GitError.
        """
        if not COMMIT.fullmatch(commit):
            raise GitError(f"{commit!r} is no commit id")  # git would take some for an option
        options = ("--find-renames", "--diff-filter=R", "--name-status", "-z")
        said = self.records("diff-index", *options, "--ignore-submodules=all", commit, "--")
        return {new: old for _, old, new in zip(said, said, said, strict=True)}

    def missing(self, blobs: Iterable[str]) -> frozenset[str]:
        """Those of some blob ids whose content this clone lacks. Raises: GitError."""
        wanted = sorted(set(blobs))
        asked = "".join(f"{blob}\n" for blob in wanted).encode("ascii", "replace")
        answer = self.run("cat-file", "--batch-check=%(objecttype)", stdin=asked)
        kinds = answer.splitlines()
        return frozenset(b for b, kind in zip(wanted, kinds, strict=True) if kind != b"blob")

    def ignored(self, paths: Iterable[str]) -> frozenset[str]:
        """Those of some paths, relative to the top, that git ignores. Raises: GitError."""
        arguments = ("check-ignore", "-z", "--stdin")
        # It refuses to take paths as they are; behind `./` none has a meaning.
        asked = os.fsencode("".join(f"./{path}\0" for path in sorted(paths)))
        done = self._start(arguments, asked, literal=False)
        if done.returncode > 1:  # 1: none of them
            raise _refusal(arguments, done)
        return frozenset(path[2:] for path in os.fsdecode(done.stdout).split("\0")[:-1])

    # --- running ---------------------------------------------------------------------------------

    def records(self, *arguments: str) -> Iterator[str]:
        """NUL-terminated records of an answer; undecodable bytes become surrogates."""
        answer = os.fsdecode(self.run(*arguments))
        if answer and not answer.endswith("\0"):
            raise GitError(f"`git {arguments[0]}` answered only in part")
        yield from answer.split("\0")[:-1]

    def run(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        """Raises: GitError with what git said."""
        done = self._start(arguments, stdin)
        if done.returncode != 0:
            raise _refusal(arguments, done)
        if _OMISSION.search(done.stderr):
            raise GitError(f"`git {arguments[0]}` left something out: {_first_line(done.stderr)}")
        return done.stdout

    def line(self, *arguments: str) -> str:
        """A short answer. Raises: GitError."""
        return os.fsdecode(self._line(*arguments))

    def _line(self, *arguments: str) -> bytes:
        return self.run(*arguments).removesuffix(b"\n")

    def _try(self, *arguments: str) -> str | None:
        done = self._start(arguments, None)
        return os.fsdecode(done.stdout.strip()) if done.returncode == 0 else None

    def _start(
        self, arguments: Iterable[str], stdin: bytes | None, *, literal: bool = True
    ) -> subprocess.CompletedProcess[bytes]:
        command = ["git", *((_LITERAL,) if literal else ()), *_NEUTRAL, *arguments]
        try:
            return subprocess.run(
                command,
                cwd=self._folder,
                env=_environment(),
                capture_output=True,
                input=stdin if stdin is not None else b"",
                check=False,
            )
        except (FileNotFoundError, NotADirectoryError):
            if not self._folder.is_dir():
                raise GitError(f"the folder {self._folder} does not exist") from None
            raise GitError("git is not installed, or not on PATH") from None
        except OSError as error:
            raise GitError(f"git cannot be started: {error.strerror or error}") from error


def _environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k.startswith(_KEPT)}
    fixed = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
    return {**kept, **fixed, "LC_ALL": "C"}


def _refusal(arguments: Iterable[str], done: subprocess.CompletedProcess[bytes]) -> GitError:
    said = os.fsdecode(done.stderr).strip()
    if "dubious ownership" in said:
        return GitError(
            "git refuses this checkout, because another user owns it ('dubious ownership')",
            mend='Run `git config --global --add safe.directory "$PWD"` first.',
        )
    if "not a git repository" in said:
        return NoRepository("this is not a git repository")
    if "must be run in a work tree" in said:
        return GitError("this git repository has no working tree")
    first = _first_line(done.stderr) or f"exit status {done.returncode}"
    return GitError(f"`git {next(iter(arguments))}` failed: {first}")


def _first_line(said: bytes) -> str:
    return os.fsdecode(said).strip().partition("\n")[0]
