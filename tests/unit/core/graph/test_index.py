import pytest

from pytest_ciopt.core.graph.index import ImportIndex, layer, scans
from pytest_ciopt.core.graph.scanner import Flag

SCANS = {
    "a.py": ["pkg.mod", "pkg", "os", "*/src", Flag.HOOKS],
    "b.py": ["pkg.mod.x", "pkg-x", "pkg.", "~pkg.db"],
    "c/d.py": ["/c/e", "/c/e/f", "/c/ee", "pkgx", ">pkg.mod.y", ">/c/e/f"],
    "c/e.py": [],
    "c.py": ["pkg/x", "pkg.mod2", "=c/e.py"],
}


def index(
    stored: dict[str, list[str]], stale: set[str], fresh: dict[str, list[str]]
) -> ImportIndex:
    files = sorted((set(stored) - stale) | set(fresh))
    return ImportIndex(files, layer(stored), frozenset(stale), layer(fresh))


PLAIN = index(SCANS, set(), {})


def test_a_layer_keeps_what_each_file_imports() -> None:
    made = layer(SCANS)
    assert {path: set(names) for path, names in scans(made).items()} == {
        path: set(names) for path, names in SCANS.items()
    }
    assert list(made.files) == sorted(SCANS)
    assert list(made.names) == sorted({name for names in SCANS.values() for name in names})
    assert len(made.starts) == len(made.names) + 1
    assert made == layer(dict(reversed(SCANS.items())))


def test_an_empty_layer() -> None:
    assert scans(layer({})) == {}
    assert scans(layer({"a.py": []})) == {"a.py": []}
    assert index({}, set(), {}).importers("pkg") == ()


@pytest.mark.parametrize("odd", ["", "a.\U0010ffff", "\udce9", "é", "a\nb"])
def test_odd_names_are_kept(odd: str) -> None:
    kept = scans(layer({"a.py": [odd], "b.py": ["x", odd]}))
    assert {path: set(names) for path, names in kept.items()} == {"a.py": {odd}, "b.py": {"x", odd}}
    assert index({"a.py": [odd]}, set(), {}).importers(odd) == ("a.py",)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pkg", ("a.py",)),
        ("pkg.mod", ("a.py",)),
        ("pkg.mod.x", ("b.py",)),
        ("pkg.mo", ()),
        ("", ()),
        (Flag.HOOKS, ("a.py",)),
        (Flag.ALWAYS, ()),
    ],
)
def test_who_imports_exactly_this(name: str, expected: tuple[str, ...]) -> None:
    assert PLAIN.importers(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pkg.mod", {"a.py": "pkg.mod", "b.py": "pkg.mod.x"}),
        ("pkg", {"a.py": "pkg", "b.py": "pkg.", "c.py": "pkg.mod2"}),
        ("/c/e", {"c/d.py": "/c/e"}),
        ("/c", {"c/d.py": "/c/e"}),
        (">pkg.mod", {"c/d.py": ">pkg.mod.y"}),
        (">/c/e", {"c/d.py": ">/c/e/f"}),
        ("nothing", {}),
    ],
)
def test_who_imports_this_or_something_below(name: str, expected: dict[str, str]) -> None:
    assert PLAIN.importers_below(name) == expected


def test_files_that_are_not_asked_for() -> None:
    assert PLAIN.importers_below("pkg.mod", {"a.py"}) == {"b.py": "pkg.mod.x"}
    assert PLAIN.importers_below("pkg.mod", {"a.py", "b.py"}) == {}


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("pkg.", {"mod", "mod2", ""}),
        ("pkg.mod.", {"x"}),
        ("/c/", {"e", "ee"}),
        (">pkg.", {"mod"}),
        (">/c/", {"e"}),
        ("nothing.", set()),
    ],
)
def test_what_follows_a_prefix(prefix: str, expected: set[str]) -> None:
    assert PLAIN.continued(prefix) == expected
    assert PLAIN.begins(prefix) is bool(expected)


def test_a_name_that_sorts_between_another_and_what_is_below_it() -> None:
    odd = index({"a.py": ["p.a", "p.a-b", "p.a-b.c", "p.a.b", "p.a.c", "p.b"]}, set(), {})
    assert odd.continued("p.") == {"a", "a-b", "b"}


def test_marks_are_cut_off() -> None:
    assert PLAIN.marked("*") == {"/src": ["a.py"]}
    assert PLAIN.marked("=") == {"c/e.py": ["c.py"]}
    assert PLAIN.marked("~") == {"pkg.db": ["b.py"]}
    assert PLAIN.marked("!") == {}


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("c", ["c/d.py", "c/e.py"]),
        ("", ["a.py", "b.py", "c.py", "c/d.py", "c/e.py"]),
        ("d", []),
        ("c/d", []),
    ],
)
def test_files_below_a_folder(folder: str, expected: list[str]) -> None:
    assert list(PLAIN.below(folder)) == expected


def test_what_was_scanned_now_goes_before_what_is_stored() -> None:
    corrected = index(SCANS, {"a.py", "b.py"}, {"a.py": ["pkg.new"], "z.py": ["pkg.mod"]})
    assert corrected.importers("pkg.mod") == ("z.py",)
    assert corrected.importers_below("pkg") == {
        "a.py": "pkg.new",
        "z.py": "pkg.mod",
        "c.py": "pkg.mod2",
    }
    assert corrected.importers(Flag.HOOKS) == ()
    assert corrected.marked("*") == {}
    assert corrected.marked("=") == {"c/e.py": ["c.py"]}
    assert list(corrected.files) == ["a.py", "c.py", "c/d.py", "c/e.py", "z.py"]
