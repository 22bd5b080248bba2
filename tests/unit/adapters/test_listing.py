import os

import pytest

from pytest_ciopt.adapters.listing import Listing, Tracked

RECORDS = (
    ("H 100644", "a" * 40, 0, "a.py"),
    ("H 100755", "b" * 40, 0, "bin/run.py"),
    ("H 120000", "c" * 40, 0, "link.py"),
    ("H 160000", "d" * 40, 0, "module"),
    ("h 100644", "e" * 40, 0, "assumed.py"),
    ("S 100644", "f" * 40, 0, "sparse.py"),
    ("M 100644", "1" * 40, 1, "both.py"),
    ("M 100644", "2" * 40, 2, "both.py"),
    ("M 100644", "3" * 40, 3, "both.py"),
    ("H 100644", "4" * 40, 0, "tab\ta.py"),
    ("H 100644", "5" * 40, 0, "caf\udce9/setup.cfg"),
    ("H 100644", "6" * 40, 0, "setup.cfg"),
    ("H 100644", "7" * 40, 0, "line\nfeed.txt"),
)
PLAIN = ("H 100644", "H 100755")


def answer(records: tuple[tuple[str, str, int, str], ...] = RECORDS) -> bytes:
    lines = (f"{tag} {blob} {stage}\t{path}\0" for tag, blob, stage, path in records)
    return os.fsencode("".join(lines))


@pytest.mark.parametrize("record", RECORDS, ids=[repr(record[3]) for record in RECORDS])
def test_an_entry_is_found_by_its_path(record: tuple[str, str, int, str]) -> None:
    words, _, _, path = record
    last = [blob for _, blob, _, other in RECORDS if other == path][-1]
    tag, mode = words.split()
    hidden = tag in ("h", "S")
    assert Listing(answer()).entry(path) == Tracked(mode, last, hidden, sparse=tag == "S")


@pytest.mark.parametrize("path", ["", "py", ".py", "run.py", "A.py", "b.py", "a.py\0", "bin"])
def test_what_is_not_tracked_has_no_entry(path: str) -> None:
    assert Listing(answer()).entry(path) is None


def test_an_entry_is_not_that_of_a_path_with_a_tab() -> None:
    """It ends like the record of `a.py`, and here it is the only one."""
    assert Listing(answer(RECORDS[9:])).entry("a.py") is None
    listing = Listing(answer((*RECORDS[9:], RECORDS[0])))
    assert listing.entry("a.py") == Tracked("100644", "a" * 40, hidden=False)
    listing = Listing(answer((RECORDS[0], *RECORDS[9:])))
    assert listing.entry("a.py") == Tracked("100644", "a" * 40, hidden=False)


@pytest.mark.parametrize(
    "suffixes", [("setup.cfg", "a.py"), ("",), (".py", "y"), (".txt",), ("\udce9/setup.cfg",), ()]
)
def test_paths_by_their_end(suffixes: tuple[str, ...]) -> None:
    expected = sorted({path for _, _, _, path in RECORDS if path.endswith(suffixes)})
    assert Listing(answer()).ending(*suffixes) == expected


def test_the_end_of_a_path_is_no_part_of_gits_words() -> None:
    assert Listing(answer()).ending("0\ta.py") == []


def test_what_is_no_plain_file() -> None:
    listing = Listing(answer())
    assert set(listing.odd) == {path for tag, _, _, path in RECORDS if tag not in PLAIN}
    assert listing.links() == ["link.py"]
    assert listing.submodules() == ["module"]
    assert "link.py" not in listing.sources()
    assert listing.sources()["bin/run.py"] == "b" * 40


def test_equal_answers_have_equal_keys() -> None:
    assert Listing(answer()).key == Listing(answer()).key
    assert Listing(answer()).key != Listing(answer(RECORDS[1:])).key
    assert Listing(b"").ending("") == []
