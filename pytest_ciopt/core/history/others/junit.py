"""JUnit XML, as pytest writes it in both of its families.

Such a file has one number of seconds a test, which is taken for its call. The newer family does not
name the file of a test, only a dotted class name: the file is looked for in the repository.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree

from pytest_ciopt.core.history.encoding import shortened
from pytest_ciopt.core.history.others.found import ForeignError, Found, seconds
from pytest_ciopt.core.history.records import Attempt, Phase
from pytest_ciopt.core.nodeids import repository_id

_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)")


def read(content: bytes, files: Collection[str], roots: Sequence[str]) -> Found:
    """Ids are from the top of the repository. Of several files that a dotted name fits that below
    the first of `roots` counts. Raises: ForeignError."""
    if _DECLARATION.search(content):  # entities could stand for gigabytes
        raise ForeignError("XML that declares a document type, as no test report does")
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise ForeignError(f"it is no XML ({error})") from error
    if root.tag not in ("testsuites", "testsuite"):
        raise ForeignError("XML that is no test report")
    found = Found("junit", started=min(_moments(root), default=None))
    places = _Places(files, roots)
    tests: dict[str, list[ElementTree.Element]] = {}
    for case in root.iter("testcase"):
        test = places.id_of(case)
        if test is None:
            found.skipped += 1
        else:
            tests.setdefault(test, []).append(case)
    found.records.extend(_attempt(test, cases) for test, cases in tests.items())
    return found


def _moments(root: ElementTree.Element) -> Iterator[float]:
    told = (moment_of(suite.get("timestamp", "")) for suite in root.iter("testsuite"))
    yield from (moment for moment in told if moment is not None)


def moment_of(text: str) -> float | None:
    """Seconds of the epoch; UTC where no time zone is told."""
    try:
        told = datetime.fromisoformat(text)
        return max(0.0, (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None


class _Places:
    """Finds the files that dotted names stand for."""

    def __init__(self, files: Collection[str], roots: Sequence[str]) -> None:
        self._roots = roots
        self._by_tail: dict[str, list[str]] = {}
        for file in files:
            parts = file.split("/")
            for start in range(len(parts)):
                self._by_tail.setdefault("/".join(parts[start:]), []).append(file)

    def id_of(self, case: ElementTree.Element) -> str | None:
        """The node id of a test case, None where no file, or more than one, would fit."""
        name, dotted = case.get("name"), case.get("classname", "")
        if not name:
            return None
        parts = [part for part in dotted.split(".") if part]
        for end in range(len(parts), 0, -1):
            file = self._file("/".join(parts[:end]) + ".py")
            if file is not None:
                return "::".join((file, *parts[end:], name))
        return None

    def _file(self, tail: str) -> str | None:
        several = self._by_tail.get(tail, [])
        if len(several) == 1:
            return several[0]
        below = (repository_id(root, tail) for root in self._roots)
        return next((file for file in below if file in several), None)


def _attempt(test: str, cases: Iterable[ElementTree.Element]) -> Attempt:
    """One attempt; pytest writes a second case for a test that fails again in its teardown."""
    took, setup, call, teardown = 0.0, "passed", "passed", None
    failure = reason = None
    xfail = False
    for case in cases:
        took += seconds(case.get("time", "0"))
        for child in case:
            said = child.get("message") or child.text or ""
            if child.tag == "skipped":
                reason, xfail = shortened(said), child.get("type") == "pytest.xfail"
                call = "skipped"
            elif child.tag == "failure":
                call, failure = "failed", failure or shortened(said)
            elif child.tag == "error":
                failure = failure or shortened(said)
                if "teardown" in said.partition("\n")[0]:
                    teardown = "failed"
                else:
                    setup = "failed"
    if setup == "failed" or (call == "skipped" and not xfail):
        first = Phase("failed" if setup == "failed" else "skipped", took)
        return Attempt(test, first, failure=failure, reason=reason)
    last = None if teardown is None else Phase(teardown, 0.0)
    done = Phase(call, took)
    return Attempt(
        test, Phase("passed", 0.0), done, last, xfail=xfail, reason=reason, failure=failure
    )
