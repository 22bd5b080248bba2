"""All decisions of a run as a JSON document; `docs/reference/decisions.md` describes it."""

import json

from pytest_ciopt import __version__
from pytest_ciopt.core.base import Base
from pytest_ciopt.core.history.records import Judged
from pytest_ciopt.core.selection import Selection
from pytest_ciopt.report.outcome import Outcome

SCHEMA = 1
"""Raised when a reader of the older form would misread the newer."""


def document(
    selection: Selection,
    base: Base | None,
    outcome: Outcome,
    notes: tuple[str, ...],
    verdicts: tuple[Judged, ...] = (),
    root: str = "",
    header: str = "",
) -> str:
    """The text of the file: sorted keys, one trailing newline. `root` is pytest's rootdir, `header`
    what the run says at its beginning."""
    content = {
        "schema": SCHEMA,
        "version": __version__,
        "base": None if base is None else {"commit": base.commit, "ref": base.ref, "how": base.how},
        "root": root,
        "header": header,
        "everything": selection.everything,
        "changed": [
            {
                "path": file.change.path,
                "status": file.change.status.value,
                "renamed_from": file.change.renamed_from,
                "effect": file.effect,
                "counts": file.counts,
            }
            for file in selection.changed
        ],
        "tests": [
            {
                "id": test.nodeid,
                "path": test.path,
                "selected": test.selected,
                "reason": test.reason,
                **({} if test.group is None else {"group": test.group}),
            }
            for test in outcome.tests
        ],
        "dropped_modules": [
            {"path": path, "reason": reason}
            for path, reason in sorted(outcome.dropped_modules.items())
        ],
        "dropped_files": sorted(outcome.dropped_files),
        "proving_runs": sorted(set(selection.records.proved.values())),
        "fixtures": {name: sorted(users) for name, users in sorted(outcome.fixtures.items())},
        "gates": [one._asdict() for one in verdicts],
        "notes": list(notes),
    }
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=True) + "\n"
