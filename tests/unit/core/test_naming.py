import pytest

from pytest_ciopt.core.naming import Naming, ancestors, folder_of, module_path, names


@pytest.mark.parametrize(
    ("path", "folder"),
    [("a.py", ""), ("a/b.py", "a"), ("a/b/c.py", "a/b"), ("a.b/c.py", "a.b"), ("", "")],
)
def test_folder_of(path: str, folder: str) -> None:
    assert folder_of(path) == folder


@pytest.mark.parametrize(
    ("folder", "expected"), [("", ("",)), ("a", ("a", "")), ("a/b/c", ("a/b/c", "a/b", "a", ""))]
)
def test_ancestors(folder: str, expected: tuple[str, ...]) -> None:
    assert ancestors(folder) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.py", "a"),
        ("a/b.py", "a/b"),
        ("a/__init__.py", "a"),
        ("__init__.py", ""),
        ("a/b/__init__.py", "a/b"),
        ("a/x__init__.py", "a/x__init__"),
        ("a/__main__.py", "a/__main__"),
    ],
)
def test_module_path(path: str, expected: str) -> None:
    assert module_path(path) == expected


@pytest.mark.parametrize(
    ("path", "packages", "expected"),
    [
        ("mod.py", set(), {"/mod", "mod"}),
        ("pkg/mod.py", {"pkg"}, {"/pkg/mod", "pkg.mod"}),
        ("pkg/__init__.py", {"pkg"}, {"/pkg", "pkg"}),
        ("pkg/__main__.py", {"pkg"}, {"/pkg/__main__", "pkg.__main__"}),
        ("src/pkg/mod.py", {"src/pkg"}, {"/src/pkg/mod", "pkg.mod", "src.pkg.mod"}),
        ("src/pkg/__init__.py", {"src/pkg"}, {"/src/pkg", "pkg", "src.pkg"}),
        ("ns/mod.py", set(), {"/ns/mod", "ns.mod", "mod"}),
        ("src/ns/pkg/mod.py", {"src/ns/pkg"},
         {"/src/ns/pkg/mod", "pkg.mod", "ns.pkg.mod", "src.ns.pkg.mod"}),
        ("a/b/c/m.py", {"a/b", "a/b/c"}, {"/a/b/c/m", "a.b.c.m", "b.c.m"}),
        ("pkg/ns/m.py", {"pkg"}, {"/pkg/ns/m", "m", "pkg.ns.m"}),
        ("tests/conftest.py", set(), {"/tests/conftest", "tests.conftest", "conftest"}),
        ("a/my-script.py", set(), {"/a/my-script", "a.my-script", "my-script"}),
        ("a/é.py", set(), {"/a/é", "a.é", "é"}),
    ],
)  # fmt: skip
def test_names_per_possible_root(path: str, packages: set[str], expected: set[str]) -> None:
    found = names(path, packages)
    assert set(found) == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize(
    ("path", "packages", "more"),
    [
        ("mod.py", {""}, {"repo.mod"}),
        ("sub/mod.py", {"", "sub"}, {"repo.sub.mod"}),
        ("__init__.py", {""}, {"repo"}),
        ("sub/__init__.py", {"", "sub"}, {"repo.sub"}),
        ("mod.py", set(), set()),
    ],
)
def test_the_checkout_itself_may_be_a_package(
    path: str, packages: set[str], more: set[str]
) -> None:
    assert set(names(path, packages, "repo")) - set(names(path, packages)) == more


@pytest.mark.parametrize("folder", ["", "a", "a/b"])
@pytest.mark.parametrize("packages", [set(), {"a"}, {"a", "a/b"}, {"", "a", "a/b"}, {"a/b"}])
@pytest.mark.parametrize("top", ["", "repo"])
def test_names_of_a_folder_begin_the_names_of_its_files(
    folder: str, packages: set[str], top: str
) -> None:
    known = Naming(packages, top).folder(folder)
    place = f"{folder}/" if folder else ""
    assert names(f"{place}mod.py", packages, top) == tuple(p + "mod" for p in known.prefixes)
    assert names(f"{place}__init__.py", packages, top) == known.own
    assert f"/{place}mod" in names(f"{place}mod.py", packages, top)
