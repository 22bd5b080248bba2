"""What tests covered as lines of a segment; see `encoding.py` for the lines of everything else.

A process writes them itself and sends them as they are, as with traces.
"""

from pytest_ciopt.core.history.covered import (
    CoveredContents,
    CoveredFixture,
    CoveredRecord,
    CoveredRun,
    CoveredSession,
    CoveredSet,
    CoveredTest,
)
from pytest_ciopt.core.history.line import line, steps

COVERED = b'{"kind":"covered'
"""How the lines begin: who does not ask for them need not read further."""


def encoded_covered(record: CoveredRecord) -> bytes:
    """The line of a record, its newline included; ASCII only."""
    return line(_plain(record))


def _plain(record: CoveredRecord) -> dict[str, object]:
    worker = record.worker
    match record:
        case CoveredSet():
            new = {"elements": list(record.elements) or None, "bits": f"{record.bits:x}"}
            return {"kind": "covered-set", "path": record.path, **new, "worker": worker}
        case CoveredTest():
            return {"kind": "covered", "id": record.id, **_used(record), "worker": worker}
        case CoveredFixture():
            plain = {"kind": "covered-fixture", "number": record.number}
            return {**plain, **_used(record), "worker": worker}
        case CoveredSession():
            sets = steps(record.sets) or None
            return {"kind": "covered-session", "sets": sets, "worker": worker}
        case CoveredContents():
            contents = dict(record.contents)
            return {"kind": "covered-contents", "contents": contents, "worker": worker}
        case CoveredRun():
            return {
                "kind": "covered-run",
                "branches": record.branches,
                "whole": record.whole,
                "sets": steps(record.sets) or None,
                "scope": record.scope,
                "settings": record.settings,
                "gone": list(record.gone) or None,
                "doubts": list(record.doubts) or None,
                "worker": worker,
            }


def _used(record: CoveredTest | CoveredFixture) -> dict[str, object]:
    return {"sets": steps(record.sets) or None, "fixtures": steps(record.fixtures) or None}
