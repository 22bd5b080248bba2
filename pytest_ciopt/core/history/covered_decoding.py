"""Reads the lines on what tests covered, and trusts none; see `decoding.py` for all others."""

import re
from collections.abc import Callable, Mapping

from pytest_ciopt.core.history.covered import (
    LARGEST,
    CoveredContents,
    CoveredFixture,
    CoveredRecord,
    CoveredRun,
    CoveredSession,
    CoveredSet,
    CoveredTest,
    Element,
)
from pytest_ciopt.core.history.fields import Fields, SegmentError

_HEX = re.compile(r"[0-9a-f]{1,500000}", re.ASCII)


def _read_set(fields: Fields) -> CoveredSet:
    elements = tuple(map(_element, fields.items("elements")))
    bits = _bits(fields.text("bits"))
    return CoveredSet(fields.text("path"), elements, bits, fields.maybe("worker"))


def _element(value: object) -> Element:
    match value:
        case bool():
            pass
        case int() if 0 <= value < LARGEST:
            return value
        case [int(first), int(second)] if abs(first) < LARGEST and abs(second) < LARGEST:
            return first, second
    raise SegmentError("an element of coverage that is none")


def _bits(text: str) -> int:
    if _HEX.fullmatch(text) is None:
        raise SegmentError("a set of elements that is none")
    return int(text, 16)


def _read_test(fields: Fields) -> CoveredTest:
    numbers = fields.numbers("sets"), fields.numbers("fixtures")
    return CoveredTest(fields.text("id"), *numbers, fields.maybe("worker"))


def _read_fixture(fields: Fields) -> CoveredFixture:
    numbers = fields.numbers("sets"), fields.numbers("fixtures")
    return CoveredFixture(fields.count("number"), *numbers, fields.maybe("worker"))


def _read_session(fields: Fields) -> CoveredSession:
    return CoveredSession(fields.numbers("sets"), fields.maybe("worker"))


def _read_contents(fields: Fields) -> CoveredContents:
    return CoveredContents(fields.texts_by_name("contents"), fields.maybe("worker"))


def _read_run(fields: Fields) -> CoveredRun:
    return CoveredRun(
        branches=fields.flag("branches"),
        whole=fields.flag("whole"),
        sets=fields.numbers("sets"),
        scope=fields.text("scope"),
        settings=fields.text("settings"),
        gone=fields.texts("gone"),
        doubts=fields.texts("doubts"),
        worker=fields.maybe("worker"),
    )


COVERED_READERS: Mapping[str, Callable[[Fields], CoveredRecord]] = {
    "covered-set": _read_set,
    "covered": _read_test,
    "covered-fixture": _read_fixture,
    "covered-session": _read_session,
    "covered-contents": _read_contents,
    "covered-run": _read_run,
}
