"""Finds the base of a change with git: typed, configured, said by the CI service, or usual.

Asks git through a port and fetches nothing. A base that a person typed and that does not exist is
an error; every other way to have no base is an answer, `NoBase`, upon which all tests run.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from pytest_ciopt.core.base import Base, NoBase, Passed, revision, shown
from pytest_ciopt.core.ci import in_ci
from pytest_ciopt.errors import CioptError

if TYPE_CHECKING:
    from pytest_ciopt.core.cibase import BaseHint, CiAdvice

USUAL = ("origin/HEAD", "origin/main", "origin/master", "main", "master")


class GitAsk(Protocol):
    """What resolving needs to know of a repository."""

    def commit(self, ref: str) -> str | None:
        """Full id of the commit `ref` names; None when this clone does not have it."""

    def merge_base(self, one: str, other: str) -> str | None:
        """Best common ancestor within this clone; None without one."""

    def parents(self, commit: str) -> tuple[str, ...]:
        """Parents that the commit object names, in order, present in this clone or not."""

    def is_shallow(self) -> bool:
        """Whether history is cut off."""


class UnknownBase(CioptError):
    """The base that a person typed names no commit: a usage error."""


def resolve(
    git: GitAsk,
    *,
    typed: str | None,
    configured: str | None,
    configured_by: str,
    environ: Mapping[str, str],
    event: Mapping[str, object] | None,
    passed: Callable[[], Passed] = Passed,
) -> Base | NoBase:
    """The base of the change, by the first source that speaks.

    `typed` is the value of `--ciopt-changed=BASE`, None without one. `configured` may be empty,
    as a CI variable without a value is; `configured_by` names its option for messages.
    `event` is the loaded GitHub event payload. `passed` asks the history, where nothing else can
    tell.

    Raises: `UnknownBase` for a typed base that is no commit of this clone.
    """
    if typed is not None and not revision(typed):
        raise UnknownBase(f"{shown(typed)} can be no base", "Pass a branch, a tag or a commit.")
    head = git.commit("HEAD")
    if head is None:
        return NoBase("there is no commit yet", "Commit once; from then on a change can be told.")
    search = _Search(git, head)
    if typed is not None:
        found = search.typed(revision(typed))
    elif configured and configured.strip():
        found = search.configured(configured, configured_by)
    else:
        from pytest_ciopt.core.cibase import advice  # not for a base that is named

        said = advice(environ, event)
        found = search.usual() if said is None else search.advised(said, passed)
    return search.not_nothing(found, environ)


_CANDIDATES = 50
"""Commits of the history that are looked for; git is started twice for each."""
_CHOOSE = "name another base (--ciopt-changed=BASE, CIOPT_BASE)"


class _Search:
    """One search for the base of the commit `head`. A `mend` of None is chosen by the cause."""

    def __init__(self, git: GitAsk, head: str) -> None:
        self.git, self.head = git, head

    def typed(self, ref: str) -> Base | NoBase:
        commit = self._commit(ref)
        if commit is None:
            missing = self._absent(ref, None)
            raise UnknownBase(missing.why, missing.mend)
        return self._joined(ref, commit, f"merge base with {ref}", None)

    def configured(self, ref: str, configured_by: str) -> Base | NoBase:
        correct = f"Correct {configured_by}, or pass --ciopt-changed=BASE."
        if ref.strip("0 ") == "":
            # GitHub and GitLab say so of the commit before the first push of a branch.
            return NoBase(f"{configured_by} is all zeros, which stands for no commit", correct)
        if not revision(ref):
            return NoBase(f"{configured_by} is {shown(ref)}, which can be no base", correct)
        ref = revision(ref)
        return self._merge_base(ref, f"merge base with {ref}, from {configured_by}", None)

    def advised(self, said: "CiAdvice", passed: Callable[[], Passed]) -> Base | NoBase:
        mend = f"To select tests here, {said.mend}."
        if said.unless_passed:
            found = self._passed(passed(), said)
            if found is not None:
                return found
        if said.run_all is not None:
            return NoBase(f"{said.service}: {said.run_all}", mend)
        misses = []
        for hint in said.hints:
            found = self._hinted(hint, f"{hint.how}, from {said.service}", mend)
            if isinstance(found, Base):
                return found
            misses += [found] if found else []
        # The first miss tells most: later hints are ever poorer substitutes.
        return misses[0] if misses else NoBase(f"{said.service} speaks of another HEAD", mend)

    def usual(self) -> Base | NoBase:
        misses = []
        for ref in USUAL:
            commit = self.git.commit(ref)
            if commit is not None:
                found = self._joined(ref, commit, f"merge base with {ref}", None)
                if isinstance(found, Base):
                    return found
                misses.append(found)
        names = f"{', '.join(USUAL[:-1])} or {USUAL[-1]}"
        why = f"nothing to compare with: no {names} in this clone{self._shallow()}"
        return misses[0] if misses else NoBase(why, f"{_CHOOSE[0].upper()}{_CHOOSE[1:]}.")

    def not_nothing(self, found: Base | NoBase, environ: Mapping[str, str]) -> Base | NoBase:
        """In CI nobody is there to notice that a green run has tested nothing.

        Whoever names HEAD itself asks for what is not committed, and for nothing else.
        """
        if isinstance(found, NoBase) or found.commit != self.head or found.ref == "HEAD":
            return found
        if not in_ci(environ):
            return found
        why = f"HEAD is the base itself ({found.how}), so a selection would run nothing"
        return NoBase(why, "Set CIOPT_BASE to the last commit whose tests finished.")

    def _hinted(self, hint: "BaseHint", how: str, mend: str) -> Base | NoBase | None:
        """What one hint leads to; None when it does not speak of this HEAD."""
        if hint.mode == "merge-base":
            return self._merge_base(hint.ref, how, mend)
        if hint.mode == "exact":
            return self._exact(hint.ref, hint.ref, how, mend)
        parents = self.git.parents(self.head)
        # A workflow may check out another commit than the service's merge. Where that one happens
        # to be a merge too (main into the branch), its first parent hides most of the change.
        if len(parents) != 2 or hint.joins not in ("", parents[1]):
            return None
        return self._exact("HEAD^1", parents[0], how, mend)

    def _passed(self, known: Passed, said: "CiAdvice") -> Base | NoBase | None:
        """The newest commit before HEAD upon which all tests have passed; None without one.

        HEAD itself is none, so that a job that is run again does what it did.
        """
        if known.odd is not None:
            why = f"{said.service}: a push, and runs with such options cannot be compared"
            return NoBase(why, f"To select tests here, do without {known.odd}, or {_CHOOSE}.")
        commits = [commit for commit in known.commits[:_CANDIDATES] if commit != self.head]
        here = [commit for commit in commits if self.git.commit(commit) is not None]
        for commit in here:
            if self.git.merge_base(commit, self.head) == commit:
                how = "the last commit upon which all tests of this job passed, from the history"
                return Base(commit, commit[:12], how, passed=True)
        if here or not commits:
            return None
        return self._absent(commits[0][:12], f"To select tests here, {said.unless_passed}.")

    def _exact(self, ref: str, name: str, how: str, mend: str) -> Base | NoBase:
        commit = self.git.commit(name)
        return self._absent(name, mend) if commit is None else Base(commit, ref, how)

    def _merge_base(self, ref: str, how: str, mend: str | None) -> Base | NoBase:
        commit = self._commit(ref)
        return self._absent(ref, mend) if commit is None else self._joined(ref, commit, how, mend)

    def _joined(self, ref: str, commit: str, how: str, mend: str | None) -> Base | NoBase:
        base = commit if commit == self.head else self.git.merge_base(commit, self.head)
        if base is not None:
            return Base(base, ref, how)
        why = f"HEAD and {shown(ref)} have no common ancestor{self._shallow()}"
        return NoBase(why, mend or self._mend("Choose a base that shares history with HEAD"))

    def _commit(self, ref: str) -> str | None:
        """Git is not started for what is known; each start costs as much as a thousand files."""
        return self.head if ref == "HEAD" else self.git.commit(ref)

    def _absent(self, ref: str, mend: str | None) -> NoBase:
        why = f"cannot compare with {shown(ref)}: the commit is not in this clone{self._shallow()}"
        return NoBase(why, mend or self._mend("Fetch it"))

    def _mend(self, whole: str) -> str:
        shallow = "Fetch more history with `git fetch --deepen=200`"
        return f"{shallow if self.git.is_shallow() else whole}, or {_CHOOSE}."

    def _shallow(self) -> str:
        return " (shallow clone)" if self.git.is_shallow() else ""
