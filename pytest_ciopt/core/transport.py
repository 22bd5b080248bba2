"""Carries a `Selection` from the xdist controller to its workers, as JSON. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from pytest_ciopt.core.change import FileChange, Status
from pytest_ciopt.core.edits.parts import FixtureReach, Reach
from pytest_ciopt.core.graph.reached import Link
from pytest_ciopt.core.selection import ChangedFile, Records, Selection


def dumped(selection: Selection) -> str:
    """Text from which `loaded` makes an equal selection."""
    return json.dumps(
        {
            "everything": selection.everything,
            "changed": [
                [
                    *(c.change.path, c.change.status.value, c.change.renamed_from),
                    *(c.change.before, c.effect, c.counts),
                ]
                for c in selection.changed
            ],
            "files": _links(selection.files),
            "scopes": _links(selection.scopes),
            "doctests": _links(selection.doctests),
            "parts": {
                path: [
                    part.whole,
                    sorted(part.names),
                    sorted(part.known),
                    part.helpers,
                    sorted(part.fixtures),
                ]
                for path, part in selection.parts.items()
            },
            "fixtures": {
                folder: [reach.whole, sorted(reach.fixtures)]
                for folder, reach in selection.fixtures.items()
            },
            "asking": sorted(selection.asking),
            "always": sorted(selection.always),
            "always_scopes": sorted(selection.always_scopes),
            "modules": sorted(selection.modules),
            "hooked": selection.hooked,
            "records": [
                dict(selection.records.proved),
                dict(selection.records.owed),
                sorted(selection.records.owing),
                dict(selection.records.idle),
                dict(selection.records.whole),
                dict(selection.records.unproved),
            ],
        }
    )


def loaded(text: str) -> Selection:
    """The inverse of `dumped`."""
    plain: dict[str, Any] = json.loads(text)
    proved, owed, owing, idle, whole, unproved = plain["records"]
    return Selection(
        everything=plain["everything"],
        changed=tuple(
            ChangedFile(FileChange(path, Status(status), renamed, before), effect, counts)
            for path, status, renamed, before, effect, counts in plain["changed"]
        ),
        files=_linked(plain["files"]),
        scopes=_linked(plain["scopes"]),
        doctests=_linked(plain["doctests"]),
        parts={
            path: Reach(whole, frozenset(names), frozenset(known), helpers, frozenset(fixtures))
            for path, (whole, names, known, helpers, fixtures) in plain["parts"].items()
        },
        fixtures={
            folder: FixtureReach(whole, frozenset(fixtures))
            for folder, (whole, fixtures) in plain["fixtures"].items()
        },
        asking=frozenset(plain["asking"]),
        always=frozenset(plain["always"]),
        always_scopes=frozenset(plain["always_scopes"]),
        modules=frozenset(plain["modules"]),
        hooked=plain["hooked"],
        records=Records(proved, owed, frozenset(owing), idle, whole, unproved),
    )


def _links(links: Mapping[str, Link]) -> dict[str, list[str | None]]:
    return {path: [link.via, link.how] for path, link in links.items()}


def _linked(plain: Mapping[str, tuple[str | None, str]]) -> dict[str, Link]:
    return {path: Link(via, how) for path, (via, how) in plain.items()}
