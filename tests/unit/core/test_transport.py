import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ciopt.core.change import FileChange, Status
from pytest_ciopt.core.edits.parts import FixtureReach, Reach
from pytest_ciopt.core.graph.reached import Link
from pytest_ciopt.core.selection import ChangedFile, Records, Selection
from pytest_ciopt.core.transport import dumped, loaded

# Undecodable bytes of file names are lone surrogates.
TEXT = st.text(st.characters(), max_size=12) | st.sampled_from(
    ["", "a/b.py", "\udce9.py", "é", "\0"]
)
NAMES = st.frozensets(TEXT, max_size=4)
LINKS = st.dictionaries(TEXT, st.builds(Link, st.none() | TEXT, TEXT), max_size=4)
CHANGES = st.builds(
    FileChange, TEXT, st.sampled_from(Status), st.none() | TEXT, st.none() | st.just("0" * 40)
)
SELECTIONS = st.builds(
    Selection,
    everything=st.none() | TEXT,
    changed=st.lists(st.builds(ChangedFile, CHANGES, TEXT, st.booleans()), max_size=3).map(tuple),
    files=LINKS,
    scopes=LINKS,
    doctests=LINKS,
    parts=st.dictionaries(
        TEXT, st.builds(Reach, st.none() | TEXT, NAMES, NAMES, st.booleans()), max_size=3
    ),
    fixtures=st.dictionaries(TEXT, st.builds(FixtureReach, st.none() | TEXT, NAMES), max_size=3),
    asking=NAMES,
    always=NAMES,
    always_scopes=NAMES,
    modules=NAMES,
    hooked=st.booleans(),
    records=st.builds(
        Records,
        st.dictionaries(TEXT, TEXT, max_size=3),
        st.dictionaries(TEXT, TEXT, max_size=3),
        NAMES,
        st.dictionaries(TEXT, TEXT, max_size=3),
        st.dictionaries(TEXT, TEXT, max_size=3),
        st.dictionaries(TEXT, TEXT, max_size=3),
    ),
)


@given(SELECTIONS)
def test_a_selection_survives_the_way_to_a_worker(selection: Selection) -> None:
    assert loaded(dumped(selection)) == selection


@given(SELECTIONS)
def test_what_travels_is_plain_and_the_same_each_time(selection: Selection) -> None:
    text = dumped(selection)
    assert text.isascii()
    assert dumped(loaded(text)) == text
    assert isinstance(json.loads(text), dict)


@pytest.mark.parametrize("field", Selection._fields)
def test_every_field_travels(field: str) -> None:
    """A field that is added later and forgotten in `dumped` turns this red."""
    link = {"a.py": Link("b.py", "imports b")}
    names = frozenset({"a.py", "b.py"})
    full = Selection(
        everything="why",
        changed=(ChangedFile(FileChange("a.py", Status.RENAMED, "c.py"), "module", True),),
        files=link,
        scopes=link,
        doctests=link,
        parts={"a.py": Reach("whole", names, names, True)},
        fixtures={"": FixtureReach("whole", names)},
        asking=names,
        always=names,
        always_scopes=names,
        modules=names,
        hooked=True,
        records=Records(
            {"a": "r"}, {"b": "failed last"}, names, {"a.py": "r"}, {"b.py": "reads"}, {"c": "why"}
        ),
    )
    assert getattr(full, field) != getattr(Selection(), field)
    assert getattr(loaded(dumped(full)), field) == getattr(full, field)


@pytest.mark.parametrize("status", Status)
def test_every_status_travels(status: Status) -> None:
    change = ChangedFile(FileChange("a.py", status), "x", False)
    (found,) = loaded(dumped(Selection(changed=(change,)))).changed
    assert found.change.status is status
