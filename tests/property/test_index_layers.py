"""The import index, stored and corrected, against plain dictionaries; the search against closure.

Neither needs names to be those that a scan finds: the index only compares them.
"""

from collections.abc import Iterator, Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ciopt.core.graph.commands import Command
from pytest_ciopt.core.graph.dependents import search
from pytest_ciopt.core.graph.index import ImportIndex, layer, scans
from pytest_ciopt.core.graph.reached import Layout
from pytest_ciopt.core.naming import INIT, folder_of, names
from pytest_ciopt.settings import Discovery
from thoroughness import examples

Scans = Mapping[str, frozenset[str]]

PATHS = st.sampled_from(
    (
        *("a.py", "b.py", "ab.py", "a/b.py", "a/__init__.py", "a/b/c.py", "a/b/__init__.py"),
        *("a0.py", "a-b.py", "é.py", "\udce9.py", "a/b.c.py", "z/test_a.py", "z/conftest.py"),
    )
)
NAMES = st.sampled_from(
    (
        *("", "a", "a.b", "a.b.c", "a.bc", "a.", "a/b", "a0", "ab", "b", "/a", "/a/b", "/a/bc"),
        *("/", ">a", ">a.b", ">/a/b", "*a", "*/a", "=a/b.py", "~a.b", "#hooks", "é", "\udce9.x"),
    )
)
SCANS = st.dictionaries(PATHS, st.frozensets(NAMES, max_size=5), max_size=8)


@st.composite
def edits(draw: st.DrawFn) -> tuple[Scans, ImportIndex]:
    """What each file imports now, and an index that was stored before and corrected since."""
    before = draw(SCANS)
    now = dict(before)
    for path in draw(st.lists(PATHS, max_size=4)):
        now.pop(path, None)
    edited = draw(SCANS)
    now |= edited
    stale = {path for path in before if path not in now or path in edited}
    # A file may be read again although nothing differs, and be stale without having been stored.
    again = draw(st.sets(st.sampled_from(sorted(now)), max_size=2)) if now else set()
    more = draw(st.frozensets(PATHS, max_size=2)) - now.keys()
    fresh = {path: now[path] for path in now if path in edited or path in again}
    stale |= again | more
    index = ImportIndex(sorted(now), layer(before), frozenset(stale), layer(fresh))
    return now, index


@given(SCANS)
def test_a_layer_can_be_taken_apart_again(found: Scans) -> None:
    assert {path: frozenset(n) for path, n in scans(layer(found)).items()} == found
    assert layer(scans(layer(found))) == layer(found)


@given(edits(), NAMES)
def test_importers_of_a_name(edit: tuple[Scans, ImportIndex], name: str) -> None:
    now, index = edit
    assert index.importers(name) == tuple(sorted(path for path in now if name in now[path]))


@given(edits(), NAMES.filter(bool), st.frozensets(PATHS, max_size=3))
def test_importers_of_a_name_or_one_below(
    edit: tuple[Scans, ImportIndex], name: str, without: frozenset[str]
) -> None:
    now, index = edit
    separator = "/" if name.lstrip(">")[:1] == "/" else "."
    expected = {
        (imported, path)
        for path, imports in now.items()
        for imported in imports
        if imported == name or imported.startswith(name + separator)
    }
    found = index.importers_below(name)
    assert found.keys() == {path for _, path in expected}
    assert all((imported, path) in expected for path, imported in found.items())
    assert all(found[path] == name for imported, path in expected if imported == name)
    fewer = index.importers_below(name, without)
    assert fewer.keys() == found.keys() - without


@given(edits(), st.sampled_from(("", "a.", "a.b.", "/a/", ">a.", "z.")))
def test_what_follows_a_prefix(edit: tuple[Scans, ImportIndex], prefix: str) -> None:
    now, index = edit
    separator = "/" if prefix.endswith("/") else "."
    following = {
        imported.removeprefix(prefix).partition(separator)[0]
        for imports in now.values()
        for imported in imports
        if imported.startswith(prefix)
    }
    assert following <= index.continued(prefix)
    assert index.begins(prefix) >= bool(following)


@given(edits(), st.sampled_from("*=~>#"))
def test_marked_names(edit: tuple[Scans, ImportIndex], mark: str) -> None:
    now, index = edit
    expected: dict[str, set[str]] = {}
    for path, imports in now.items():
        for name in imports:
            if name.startswith(mark):
                expected.setdefault(name[1:], set()).add(path)
    assert {name: set(files) for name, files in index.marked(mark).items()} == expected


@given(edits(), st.sampled_from(("", "a", "a/b", "z", "a0", "missing")))
def test_files_below_a_folder(edit: tuple[Scans, ImportIndex], folder: str) -> None:
    now, index = edit
    prefix = folder + "/" if folder else ""
    assert list(index.below(folder)) == sorted(path for path in now if path.startswith(prefix))


@given(edits())
def test_corrected_and_stored_anew_is_the_same(edit: tuple[Scans, ImportIndex]) -> None:
    now, index = edit
    anew = ImportIndex(sorted(now), layer(now), frozenset(), layer({}))
    everything = ("", chr(0x10FFFF) + "x")
    assert sorted(anew.between(*everything)) == sorted(index.between(*everything))
    assert list(anew.files) == list(index.files)


# --- the search ----------------------------------------------------------------------------------

FOLDERS = ("", "p", "p/q", "r", "r/s")
FILES = tuple(
    f"{folder}/{name}" if folder else name
    for folder in FOLDERS
    for name in (INIT, "one.py", "two.py", "test_x.py", "conftest.py")
    if folder or name != INIT
)
IMPORTS = st.sampled_from(
    (
        *("one", "two", "p", "p.one", "p.two.x", "p.q", "p.q.one", "q.two", "r", "r.one", "r.s"),
        *("s.one", "/p/one", "/p/q/two", "/p", "/r/s/one/x", "/one", "*p", "*/p/q", "*r.s", "p.*x"),
        *("conftest", "p.conftest", "test_x", "/p/test_x", "absent", "absent.one", "on", "p.on"),
        *("~p.one", "~r.two", "~p.q", ">p.one", ">r.s", ">/p/q", "=one.py", "=q/two.py", "$run"),
    )
)
TREES = st.dictionaries(st.sampled_from(FILES), st.frozensets(IMPORTS, max_size=3), min_size=1)


def loaders(path: str, tree: Scans, packages: frozenset[str]) -> Iterator[str]:
    """Who loads a file directly, by the rules of `core/naming.py` and nothing else."""
    known = names(path, packages)
    for other, imports in tree.items():
        if any(_loads(name, path, known, tree) for name in imports):
            yield other
    if path.rpartition("/")[2] == INIT:
        folder = folder_of(path)
        for other in tree:
            inside = folder_of(other)
            if inside == folder or (folder_of(inside) == folder and other.endswith("/" + INIT)):
                yield other


def _loads(imported: str, path: str, known: tuple[str, ...], tree: Scans) -> bool:
    mark, bare = (imported[0], imported[1:]) if imported[0] in "*~" else ("", imported)
    separator = "/" if bare[:1] == "/" else "."
    if mark == "*":  # anything in the folder of that name
        dotted = {name.rpartition(separator)[0] for name in known if separator in name}
        own = {name for name in known if path.endswith(INIT)}
        return any(f"{name}{separator}".startswith(f"{bare}{separator}") for name in dotted | own)
    return any(bare == name or bare.startswith(name + separator) for name in known)


def closure(seeds: list[str], tree: Scans, packages: frozenset[str]) -> set[str]:
    found, waiting = set(seeds), list(seeds)
    while waiting:
        for path in loaders(waiting.pop(), tree, packages):
            if path not in found:
                found.add(path)
                waiting.append(path)
    return found


def packages_of(tree: Scans) -> frozenset[str]:
    return frozenset(folder_of(path) for path in tree if path.rpartition("/")[2] == INIT)


def index_of(tree: Scans) -> ImportIndex:
    """Half of it stored and half fresh: the search must not care."""
    stored = {path: imports for path, imports in tree.items() if len(path) % 2}
    fresh = {path: imports for path, imports in tree.items() if path not in stored}
    return ImportIndex(sorted(tree), layer(stored), frozenset(), layer(fresh))


@settings(max_examples=examples(500), deadline=None)
@given(st.data(), TREES)
def test_a_search_misses_nothing_of_the_closure(data: st.DataObject, tree: Scans) -> None:
    packages = packages_of(tree)
    seeds = sorted(data.draw(st.sets(st.sampled_from(FILES), min_size=1, max_size=2)))
    found = search(dict.fromkeys(seeds, "changed"), index_of(tree), Layout(packages))
    expected = closure(seeds, tree, packages)
    assert expected <= set(found.files)
    conftests = {p for p in found.files if p.rpartition("/")[2] == "conftest.py"}
    assert set(found.scopes) == {folder_of(path) for path in conftests}


@st.composite
def corrected_trees(draw: st.DrawFn) -> tuple[Scans, ImportIndex]:
    """A tree, and an index with files that are stale, fresh, and remembered from the base."""
    before, now, base = draw(TREES), dict(draw(TREES)), draw(st.one_of(st.just({}), TREES))
    for path in draw(st.sets(st.sampled_from(sorted(before)))):
        now[path] = before[path]
    stale = {path for path in before if now.get(path) != before[path]} | {"data.txt"}
    fresh = {path: found for path, found in now.items() if before.get(path) != found}
    return now, ImportIndex(sorted(now), layer(before), frozenset(stale), layer(fresh), layer(base))


@settings(max_examples=examples(500), deadline=None)
@given(st.data(), corrected_trees(), st.booleans())
def test_without_reasons_the_same_is_reached(
    data: st.DataObject, tree: tuple[Scans, ImportIndex], doctests: bool
) -> None:
    now, index = tree
    seeds = dict.fromkeys(data.draw(st.sets(st.sampled_from(FILES), max_size=2)), "changed")
    narrowed = data.draw(st.dictionaries(st.sampled_from(FILES), st.booleans(), max_size=2))
    loading = data.draw(st.sets(st.sampled_from(("p.one", "p", "two", "r.s")), max_size=2))
    loaders = (("r/one.py", frozenset(loading)),)
    tests = Discovery(doctest_modules=doctests)
    run = data.draw(st.sets(st.sampled_from(("p.one", "p", "q.two", "r")), max_size=2))
    commands = (Command("run", tuple(sorted(run))),)
    packages = packages_of(now) | data.draw(st.frozensets(st.just("r")))
    suspects = frozenset(data.draw(st.sets(st.sampled_from(sorted(packages) or [""]))))
    layout = Layout(packages - suspects, "p", loaders, commands, tests, suspects=suspects)
    slow = search(seeds, index, layout, narrowed)
    fast = search(seeds, index, layout, narrowed, reasons=False)
    assert fast.files.keys() == slow.files.keys()
    assert fast.scopes.keys() == slow.scopes.keys()
    assert fast.doctests.keys() == slow.doctests.keys()


@settings(max_examples=examples(300), deadline=None)
@given(st.data(), TREES)
def test_a_search_invents_nothing(data: st.DataObject, tree: Scans) -> None:
    """Each file that is reached has a link to one that it loads, up to a seed."""
    packages = packages_of(tree)
    seeds = sorted(data.draw(st.sets(st.sampled_from(FILES), min_size=1, max_size=2)))
    found = search(dict.fromkeys(seeds, "changed"), index_of(tree), Layout(packages)).files
    for path, link in found.items():
        if link.via is None:
            assert path in seeds
            continue
        steps, current = 0, path
        while (via := found[current].via) is not None:
            steps, current = steps + 1, via
            assert steps <= len(found)
        assert current in seeds


@settings(max_examples=examples(300), deadline=None)
@given(st.data(), TREES)
def test_narrowed_files_reach_what_a_seed_would(data: st.DataObject, tree: Scans) -> None:
    packages = packages_of(tree)
    path = data.draw(st.sampled_from(sorted(tree)))
    index, layout = index_of(tree), Layout(packages)
    whole = set(search({path: "changed"}, index, layout).files)
    narrowed = set(search({}, index, layout, {path: True}).files)
    assert whole - {path} == narrowed - {path}
    in_a_circle = path in {
        p for other in narrowed - {path} for p in loaders(other, tree, packages)
    } or path in loaders(path, tree, packages)
    assert path in narrowed or not in_a_circle
