"""States that a git working tree can be in: no change is overlooked, and none breaks the run.

Most tests compare: what fails without the selection fails with it.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from conftest import MakeProject, Project
from repository import Repository, repository
from shop_project import PRODUCT, TEST_STOCK, TEST_TOTAL

SHOP = PRODUCT | {"tests/test_cart.py": TEST_TOTAL, "tests/test_stock.py": TEST_STOCK}
TOTAL, STOCK = "tests/test_cart.py::test_total", "tests/test_stock.py::test_stock"


@pytest.fixture
def shop(project: MakeProject) -> Project:
    return project(SHOP)


def failures(result: pytest.RunResult) -> set[str]:
    return {
        line.partition(" ")[2].split(" - ")[0]
        for line in result.stdout.lines
        if line.startswith(("FAILED ", "ERROR "))
    }


def assert_alike(project: Project, *arguments: str) -> pytest.RunResult:
    """The selection fails as the whole run does; the whole run does fail."""
    plain = project.run("-rfE", *arguments)
    chosen = project.run("-rfE", "--ciopt-changed", *arguments)
    told = f"{plain.stdout}\n{plain.stderr}\n=== selected ===\n{chosen.stdout}\n{chosen.stderr}"
    assert plain.ret not in (0, 5), told
    assert plain.ret == chosen.ret, told
    assert failures(plain) == failures(chosen), told
    return chosen


def assert_narrow(result: pytest.RunResult) -> None:
    """Not everything ran."""
    result.stdout.no_fnmatch_line("*all tests run*")


def break_prices(repository: Repository) -> None:
    repository.replace("shop/prices.py", "2 * n", "3 * n")


# --- where the change is -------------------------------------------------------------------------


def committed(shop: Repository) -> None:
    shop.git("switch", "--quiet", "-c", "topic")
    break_prices(shop)
    shop.commit()


def staged(shop: Repository) -> None:
    break_prices(shop)
    shop.git("add", "shop/prices.py")


def staged_and_reverted(shop: Repository) -> None:
    """What is staged is broken in another way than what lies in the working tree."""
    shop.replace("shop/stock.py", "return 3", "return 4")
    shop.git("add", "--all")
    shop.replace("shop/stock.py", "return 4", "return 3")
    break_prices(shop)


def committed_and_reverted(shop: Repository) -> None:
    """The edit of `stock` is undone in the working tree, that of `prices` is made there."""
    shop.git("switch", "--quiet", "-c", "topic")
    shop.replace("shop/stock.py", "return 3", "return 4")
    shop.commit()
    shop.replace("shop/stock.py", "return 4", "return 3")
    break_prices(shop)


def intent_to_add(shop: Repository) -> None:
    shop.write({"tests/test_new.py": "def test_new():\n    assert False\n"})
    shop.git("add", "--intent-to-add", "tests/test_new.py")


def added_and_edited(shop: Repository) -> None:
    shop.write({"tests/test_new.py": "def test_new():\n    assert True\n"})
    shop.git("add", "--all")
    shop.replace("tests/test_new.py", "True", "False")


def added_and_deleted(shop: Repository) -> None:
    shop.write({"shop/fresh.py": "", "tests/test_new.py": "import shop.fresh\n"})
    shop.git("add", "--all")
    (shop.root / "shop/fresh.py").unlink()


def removed_from_the_index_only(shop: Repository) -> None:
    shop.git("rm", "--quiet", "--cached", "shop/prices.py")
    break_prices(shop)


def touched_without_edit(shop: Repository) -> None:
    """Git must refresh its index to see that only one of them was edited."""
    for name in SHOP:
        os.utime(shop.root / name, (1, 1))
    break_prices(shop)


def same_size_and_time(shop: Repository) -> None:
    """What git calls racy: only the content tells."""
    path = shop.root / "shop/prices.py"
    before = path.stat()
    break_prices(shop)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def detached(shop: Repository) -> None:
    shop.git("switch", "--quiet", "--detach")
    break_prices(shop)
    shop.commit()


def merged(shop: Repository) -> None:
    shop.git("switch", "--quiet", "-c", "topic")
    break_prices(shop)
    shop.commit()
    shop.git("switch", "--quiet", "main")
    shop.commit({"shop/stock.py": "def stock():\n    return 1 + 2\n"})
    shop.git("switch", "--quiet", "topic")
    shop.git("merge", "--quiet", "--no-edit", "main")


def in_the_middle_of_a_rebase(shop: Repository) -> None:
    shop.git("switch", "--quiet", "-c", "topic")
    break_prices(shop)
    shop.commit()
    shop.commit({"README.md": "words"})
    with pytest.raises(AssertionError):  # it stops at the command that fails
        shop.git("rebase", "--exec", "false", "main")


def amended(shop: Repository) -> None:
    shop.git("switch", "--quiet", "-c", "topic")
    shop.commit({"README.md": "words"})
    break_prices(shop)
    shop.git("commit", "--quiet", "--all", "--amend", "-m", "again")


def stashed_beside(shop: Repository) -> None:
    shop.replace("shop/stock.py", "3", "4")
    shop.git("stash", "--quiet")
    break_prices(shop)


STATES: tuple[Callable[[Repository], None], ...] = (
    *(break_prices, committed, staged, staged_and_reverted, committed_and_reverted),
    *(intent_to_add, added_and_edited, added_and_deleted, removed_from_the_index_only),
    *(touched_without_edit, detached, merged, in_the_middle_of_a_rebase, amended),
    *(stashed_beside, same_size_and_time),
)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_no_change_is_overlooked(shop: Project, state: Callable[[Repository], None]) -> None:
    state(shop.repository)
    assert_narrow(assert_alike(shop))


@pytest.mark.parametrize("state", [staged_and_reverted, committed_and_reverted])
def test_an_edit_that_was_undone_is_none(
    shop: Project, state: Callable[[Repository], None]
) -> None:
    state(shop.repository)
    assert set(shop.select(exit_code=1).selected) == {TOTAL}


def test_touched_files_are_unchanged(shop: Project) -> None:
    for name in SHOP:
        os.utime(shop.repository.root / name, (1, 1))
    assert shop.select().document["changed"] == []


def test_nothing_is_written_to_the_index(shop: Project) -> None:
    for name in SHOP:
        os.utime(shop.repository.root / name, (1, 1))
    index = shop.repository.root / ".git/index"
    before = index.read_bytes()
    shop.run("--ciopt-changed")
    assert index.read_bytes() == before


def test_a_locked_index_does_not_matter(shop: Project) -> None:
    (shop.repository.root / ".git/index.lock").write_text("")
    break_prices(shop.repository)
    assert_narrow(assert_alike(shop))


def test_no_file_of_ours_becomes_a_change(shop: Project) -> None:
    shop.run("--ciopt-changed")
    assert shop.repository.git("status", "--porcelain") == ""


# --- what git is told not to see -----------------------------------------------------------------


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_files_that_git_does_not_look_at(shop: Project, flag: str) -> None:
    shop.repository.git("update-index", flag, "shop/prices.py")
    assert shop.select().selected == {}
    break_prices(shop.repository)
    assert_narrow(assert_alike(shop))


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_hidden_and_edited_in_commits_too(shop: Project, flag: str) -> None:
    shop.repository.git("switch", "--quiet", "-c", "topic")
    shop.repository.replace("shop/prices.py", "2 * n", "n + n")
    shop.repository.commit()
    shop.repository.git("update-index", flag, "shop/prices.py")
    shop.repository.replace("shop/prices.py", "n + n", "2 * n")
    assert shop.select().selected == {}
    break_prices(shop.repository)
    assert_alike(shop)


def test_an_assume_unchanged_file_that_is_deleted(shop: Project) -> None:
    shop.repository.git("update-index", "--assume-unchanged", "shop/prices.py")
    (shop.repository.root / "shop/prices.py").unlink()
    assert_alike(shop)


def test_a_sparse_checkout(shop: Project) -> None:
    shop.repository.commit({"big/data.py": "x = 1\n", "big/test_big.py": "import big.data\n"})
    shop.repository.git("sparse-checkout", "set", "shop", "tests")
    assert not (shop.repository.root / "big").exists()
    told = shop.select()
    assert (told.everything, told.selected, told.document["changed"]) == (None, {}, [])
    break_prices(shop.repository)
    assert_narrow(assert_alike(shop))


def test_a_file_that_appears_in_a_sparse_checkout(shop: Project) -> None:
    shop.repository.commit({"big/test_big.py": "def test_big():\n    assert True\n"})
    shop.repository.git("sparse-checkout", "set", "shop", "tests")
    shop.repository.write({"big/test_big.py": "def test_big():\n    assert False\n"})
    assert_alike(shop)


def test_an_ignored_module_beside_tracked_ones(shop: Project) -> None:
    """Nobody knows whether it changed; whatever loads it does."""
    shop.repository.commit({".gitignore": "local.py\n", "tests/test_local.py": "import local\n"})
    shop.repository.write({"local.py": "raise RuntimeError\n"})
    shop.repository.replace("shop/stock.py", "return 3", "return 1 + 2")
    plain = shop.run("-rE")
    assert plain.ret == 2
    # At the base it did not exist, so the test fails there as well: no promise, but no crash.
    assert shop.run("--ciopt-changed").ret in (0, 2)


# --- renames and deletions -----------------------------------------------------------------------


def move(shop: Repository, old: str, new: str, *, stage: bool) -> None:
    (shop.root / new).parent.mkdir(parents=True, exist_ok=True)
    (shop.root / old).rename(shop.root / new)
    if stage:
        shop.git("add", "--all")


STAGED = pytest.mark.parametrize("stage", [True, False], ids=["staged", "unstaged"])


@STAGED
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("shop/prices.py", "shop/costs.py"),
        ("shop/prices.py", "prices.py"),
        ("shop/__init__.py", "shop/init.py"),
        ("tests/conftest.py", "tests/fixtures.py"),
        ("tests/conftest.py", "tests/sub/conftest.py"),
    ],
)
def test_a_rename_that_breaks(shop: Project, old: str, new: str, stage: bool) -> None:
    move(shop.repository, old, new, stage=stage)
    if old == "shop/__init__.py":  # only then it matters that the folder is a package no more
        shop.repository.write({"tests/test_init.py": "import shop\nassert shop.__file__\n"})
    assert_alike(shop)


@STAGED
def test_a_renamed_and_edited_test_module(shop: Project, stage: bool) -> None:
    move(shop.repository, "tests/test_stock.py", "tests/test_store.py", stage=stage)
    shop.repository.replace("tests/test_store.py", "== 3", "== 4")
    assert_narrow(assert_alike(shop))


@STAGED
def test_a_renamed_test_module_runs(shop: Project, stage: bool) -> None:
    move(shop.repository, "tests/test_stock.py", "tests/test_store.py", stage=stage)
    assert set(shop.select().selected) == {"tests/test_store.py::test_stock"}


@STAGED
def test_a_module_renamed_onto_another(shop: Project, stage: bool) -> None:
    shop.repository.commit({"shop/other.py": "def price(n):\n    return 5 * n\n"})
    move(shop.repository, "shop/other.py", "shop/prices.py", stage=stage)
    assert_alike(shop)


@STAGED
def test_two_modules_change_places(shop: Project, stage: bool) -> None:
    shop.repository.commit({"shop/other.py": "def price(n):\n    return 5 * n\n"})
    move(shop.repository, "shop/other.py", "shop/temporary.py", stage=False)
    move(shop.repository, "shop/prices.py", "shop/other.py", stage=False)
    move(shop.repository, "shop/temporary.py", "shop/prices.py", stage=stage)
    assert_alike(shop)


@STAGED
@pytest.mark.parametrize("folder", ["shop", "tests"])
def test_a_renamed_folder(shop: Project, folder: str, stage: bool) -> None:
    (shop.repository.root / folder).rename(shop.repository.root / "moved")
    if stage:
        shop.repository.git("add", "--all")
    if folder == "shop":
        assert_alike(shop)
    else:
        selected = {name.replace("tests/", "moved/") for name in (TOTAL, STOCK)}
        assert set(shop.select().selected) == selected


@STAGED
@pytest.mark.parametrize(
    "name", ["shop/prices.py", "shop/cart.py", "tests/conftest.py", "shop/stock.py"]
)
def test_a_deletion_that_breaks(shop: Project, name: str, stage: bool) -> None:
    (shop.repository.root / name).unlink()
    if stage:
        shop.repository.git("add", "--all")
    assert_alike(shop)


@STAGED
def test_a_deleted_test_module_is_no_reason_to_run_another(shop: Project, stage: bool) -> None:
    (shop.repository.root / "tests/test_stock.py").unlink()
    if stage:
        shop.repository.git("add", "--all")
    told = shop.select()
    assert (told.everything, told.selected) == (None, {})


def test_a_deleted_module_that_hid_another(project: MakeProject) -> None:
    """Without `a.py` in `first`, the import finds the one in `second`."""
    ini = "[pytest]\npythonpath = first second\n"
    test = "from a import value\n\ndef test_value():\n    assert value == 1\n"
    files = {"first/a.py": "value = 1\n", "second/a.py": "value = 2\n", "tests/test_a.py": test}
    hidden = project({**SHOP, "pytest.ini": ini + "addopts = --ignore=tests/test_cart.py"} | files)
    hidden.repository.commit({"tests/test_stock.py": "def test_stock():\n    pass\n"})
    (hidden.repository.root / "first/a.py").unlink()
    assert_alike(hidden)


def test_a_new_module_that_hides_another(project: MakeProject) -> None:
    ini = "[pytest]\npythonpath = first second\n"
    test = "from a import value\n\ndef test_value():\n    assert value == 1\n"
    hiding = project({"pytest.ini": ini, "second/a.py": "value = 1\n", "tests/test_a.py": test})
    hiding.repository.write({"first/a.py": "value = 2\n"})
    assert_alike(hiding)


def test_a_new_module_that_hides_an_installed_one(project: MakeProject) -> None:
    ini = "[pytest]\npythonpath = .\n"
    test = "import colorsys\n\ndef test_it():\n    assert colorsys.rgb_to_hsv\n"
    hiding = project({"pytest.ini": ini, "tests/test_it.py": test})
    hiding.repository.write({"colorsys.py": ""})
    result = hiding.pytester.runpytest_subprocess("-p", "pytest_ciopt.plugin", "--ciopt-changed")
    assert result.ret == 1, str(result.stdout)


def test_a_new_init_makes_a_package(project: MakeProject) -> None:
    """A regular package hides the namespace portions of other roots."""
    files = {
        "pytest.ini": "[pytest]\npythonpath = first second\n",
        "first/ns/one.py": "",
        "second/ns/two.py": "",
        "tests/test_two.py": "def test_two():\n    import ns.two\n",
        "tests/test_other.py": "def test_other():\n    pass\n",
    }
    spaces = project(files)
    spaces.repository.write({"first/ns/__init__.py": ""})
    assert_alike(spaces)


def test_a_new_conftest(shop: Project) -> None:
    conftest = "import pytest\n\n@pytest.fixture\ndef basket():\n    return [9]\n"
    shop.repository.commit({"tests/sub/test_sub.py": SHOP["tests/test_cart.py"]})
    shop.repository.write({"tests/sub/conftest.py": conftest})
    assert_narrow(assert_alike(shop))


def test_a_new_init_of_a_test_folder(shop: Project) -> None:
    shop.repository.commit({"suite/test_stock.py": SHOP["tests/test_stock.py"]})
    shop.repository.write({"suite/__init__.py": "raise RuntimeError\n"})
    assert_alike(shop, "suite")


def test_a_file_becomes_a_package(shop: Project) -> None:
    (shop.repository.root / "shop/prices.py").unlink()
    shop.repository.write({"shop/prices/__init__.py": "def price(n):\n    return 7 * n\n"})
    assert_alike(shop)


def test_a_package_becomes_a_file(shop: Project) -> None:
    shop.repository.commit({"shop/tax/__init__.py": "TAX = 1\n", "shop/tax/more.py": ""})
    shop.repository.commit(
        {"tests/test_tax.py": "from shop.tax import TAX\n\ndef test_tax():\n    assert TAX == 1\n"}
    )
    for name in ("more.py", "__init__.py"):
        (shop.repository.root / "shop/tax" / name).unlink()
    for rest in (shop.repository.root / "shop/tax").rglob("*"):
        rest.unlink()
    (shop.repository.root / "shop/tax").rmdir()
    shop.repository.write({"shop/tax.py": "TAX = 2\n"})
    assert_alike(shop)


# --- symlinks ------------------------------------------------------------------------------------

LINKED = {
    **{name: SHOP[name] for name in ("pytest.ini", "shop/__init__.py", "tests/test_stock.py")},
    "shop/stock.py": SHOP["shop/stock.py"],
    "real/one.py": "VALUE = 1\n",
    "real/two.py": "VALUE = 2\n",
    "tests/test_link.py": """
        from shop.link import VALUE

        def test_link():
            assert VALUE == 1
        """,
    "tests/test_folder.py": """
        from linked.one import VALUE

        def test_folder():
            assert VALUE == 1
        """,
}


@pytest.fixture
def linked(project: MakeProject) -> Project:
    """`shop/link.py` leads to `real/one.py`, `linked` to `real`."""
    made = project(LINKED)
    (made.repository.root / "shop/link.py").symlink_to("../real/one.py")
    (made.repository.root / "linked").symlink_to("real")
    made.repository.commit()
    return made


def test_the_target_of_links_is_edited(linked: Project) -> None:
    linked.repository.replace("real/one.py", "1", "3")
    assert_narrow(assert_alike(linked))


def test_an_edit_through_a_link(linked: Project) -> None:
    linked.repository.replace("linked/one.py", "1", "3")
    assert_alike(linked)


@STAGED
def test_a_link_leads_elsewhere(linked: Project, stage: bool) -> None:
    link = linked.repository.root / "shop/link.py"
    link.unlink()
    link.symlink_to("../real/two.py")
    if stage:
        linked.repository.git("add", "--all")
    assert_alike(linked)


@STAGED
def test_a_link_of_a_folder_leads_elsewhere(linked: Project, stage: bool) -> None:
    linked.repository.commit({"other/one.py": "VALUE = 4\n"})
    link = linked.repository.root / "linked"
    link.unlink()
    link.symlink_to("other")
    if stage:
        linked.repository.git("add", "--all")
    assert_alike(linked)


@pytest.mark.parametrize("name", ["shop/link.py", "linked"])
def test_a_link_is_removed(linked: Project, name: str) -> None:
    (linked.repository.root / name).unlink()
    assert_alike(linked)


def test_a_link_becomes_a_file(linked: Project) -> None:
    (linked.repository.root / "shop/link.py").unlink()
    linked.repository.write({"shop/link.py": "VALUE = 5\n"})
    assert_alike(linked)


def test_a_file_becomes_a_link(linked: Project) -> None:
    (linked.repository.root / "shop/stock.py").unlink()
    (linked.repository.root / "shop/stock.py").symlink_to("../real/one.py")
    assert_alike(linked)


def test_links_in_a_circle(linked: Project) -> None:
    root = linked.repository.root
    (root / "shop/loop").symlink_to("../shop")
    (root / "shop/self.py").symlink_to("self.py")
    (root / "a.py").symlink_to("b.py")
    (root / "b.py").symlink_to("a.py")
    linked.repository.commit()
    assert linked.run("--ciopt-changed").ret == 0
    linked.repository.replace("real/one.py", "1", "3")
    assert_alike(linked, "tests")


def test_new_links_in_a_circle(linked: Project) -> None:
    (linked.repository.root / "shop/self.py").symlink_to("self.py")
    assert linked.run("--ciopt-changed", "tests").ret == 0


def test_a_link_that_leads_out_of_the_repository(
    linked: Project, pytester: pytest.Pytester
) -> None:
    """Git does not see what lies there; who loads it runs once the link itself changes."""
    outside = pytester.path / "outside.py"
    outside.write_text("VALUE = 1\n")
    link = linked.repository.root / "shop/link.py"
    link.unlink()
    link.symlink_to(outside)
    linked.repository.commit()
    assert linked.run("--ciopt-changed").ret == 0
    link.unlink()
    link.symlink_to(pytester.path / "nowhere.py")
    assert_alike(linked)


def test_a_tracked_file_below_a_new_link(linked: Project) -> None:
    """The folder that git knows has become a link to one that holds other files."""
    linked.repository.commit({"kept/one.py": "VALUE = 9\n", "pack/one.py": "VALUE = 1\n"})
    test = "from pack.one import VALUE\n\ndef test_pack():\n    assert VALUE == 1\n"
    linked.repository.commit({"tests/test_pack.py": test})
    pack = linked.repository.root / "pack"
    for name in [*pack.rglob("*.pyc"), pack / "one.py"]:
        name.unlink()
    for folder in [*pack.glob("*"), pack]:
        folder.rmdir()
    pack.symlink_to("kept")
    assert_alike(linked)


# --- other kinds of change -----------------------------------------------------------------------


def test_only_the_mode(shop: Project) -> None:
    (shop.repository.root / "shop/prices.py").chmod(0o755)
    assert shop.repository.git("status", "--porcelain")
    assert shop.select().selected == {}


def test_the_mode_of_a_script_that_a_test_runs(shop: Project) -> None:
    test = """
        import subprocess

        def test_script():
            subprocess.run(["./tests/run.sh"], check=True)
        """
    shop.repository.write({"tests/run.sh": "#!/bin/sh\n", "tests/test_script.py": test})
    script = shop.repository.root / "tests/run.sh"
    script.chmod(0o755)
    shop.repository.commit()
    script.chmod(0o644)
    if os.access(script, os.X_OK):  # for the superuser on some file systems
        pytest.skip("permissions mean nothing here")
    assert_alike(shop)


def test_the_mode_and_the_content(shop: Project) -> None:
    (shop.repository.root / "shop/prices.py").chmod(0o755)
    break_prices(shop.repository)
    assert_narrow(assert_alike(shop))


def test_a_binary_file(shop: Project) -> None:
    test = """
        import pathlib

        def test_blob():
            assert pathlib.Path("tests/blob.bin").read_bytes() == b"\\0\\1"
        """
    shop.repository.commit({"tests/blob.bin": b"\0\1", "tests/test_blob.py": test})
    shop.repository.write({"tests/blob.bin": b"\0\2\xff"})
    assert_alike(shop)


def test_a_binary_extension_module(shop: Project) -> None:
    shop.repository.commit({"shop/_fast.so": b"\x7fELF\0"})
    shop.repository.write({"shop/_fast.so": b"\x7fELF\1"})
    assert set(shop.select().selected) == {TOTAL, STOCK}


@pytest.mark.parametrize("autocrlf", ["false", "input", "true"])
def test_only_the_ends_of_lines(shop: Project, autocrlf: str) -> None:
    shop.repository.git("config", "core.autocrlf", autocrlf)
    path = shop.repository.root / "shop/prices.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert shop.select().selected == {}
    break_prices(shop.repository)
    assert_alike(shop)


def test_ends_of_lines_in_a_string_count(shop: Project) -> None:
    """Python reads them as line feeds, so that only who reads the file itself can tell."""
    test = """
        import pathlib
        import shop.stock

        def test_bytes():
            assert b"\\r" not in pathlib.Path(shop.stock.__file__).read_bytes()
        """
    shop.repository.commit({"tests/test_bytes.py": test})
    path = shop.repository.root / "shop/stock.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert shop.run("--ciopt-changed").ret in (0, 1)  # a limit of static analysis, not a crash


def test_only_a_byte_order_mark(shop: Project) -> None:
    path = shop.repository.root / "shop/prices.py"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert shop.run("--ciopt-changed").ret == 0
    break_prices(shop.repository)
    assert_alike(shop)


def test_a_large_file_storage_pointer(shop: Project) -> None:
    test = """
        import pathlib

        def test_data():
            assert pathlib.Path("tests/data.lfs").read_text().endswith("1\\n")
        """
    shop.repository.commit({"tests/data.lfs": "oid sha256:1\n", "tests/test_data.py": test})
    shop.repository.write({"tests/data.lfs": "oid sha256:2\n"})
    assert_alike(shop)


# --- names of files ------------------------------------------------------------------------------

NAMES: Mapping[str, bytes] = {
    "spaces": b"a b  c",
    "newline": b"new\nline",
    "tab": b"ta\tb",
    "quotes": b"quo'te\"s",
    "dash": b"-dash",
    "dashes": b"--help",
    "backslash": b"back\\slash",
    "star": b"st*ar?[x]",
    "colon": b":(top)magic",
    "exclamation": b"!not",
    "hash": b"#hash",
    "unicode": "größe-日本".encode(),
    "decomposed": "o\u0308".encode(),
    "undecodable": b"\xff\xfe",
    "at": b"@at",
    "dots": b"..dots..",
}


READS_ALL = """
    import os

    def test_all():
        for name in os.listdir(b"suite/data"):
            with open(b"suite/data/" + name) as stream:
                assert stream.read() == "1"
    """


def write(shop: Project, place: bytes, text: str) -> None:
    path = os.fsencode(shop.repository.root) + b"/" + place
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as stream:
        stream.write(text)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_odd_names(shop: Project, name: bytes) -> None:
    """Of a data file whose folder is listed, of a test module, and of a new folder with one.

    (The folder of tests is not called `tests`: this process has modules of such names.)
    """
    module = b"suite/test_" + name + b".py"
    shop.repository.write({"suite/test_data.py": READS_ALL})
    write(shop, b"suite/data/" + name, "1")
    write(shop, module, "def test_it():\n    assert 1 == 1\n")
    shop.repository.commit()
    mode = "--import-mode=importlib"
    assert shop.run("--ciopt-changed", mode).ret == 0
    write(shop, b"suite/data/" + name, "2")
    write(shop, module, "def test_it():\n    assert 1 == 2\n")
    write(shop, b"suite/" + name + b"/test_in.py", "def test_in():\n    assert 1 == 2\n")
    plain = shop.run(mode, "suite").parseoutcomes()
    chosen = shop.run("--ciopt-changed", mode, "suite").parseoutcomes()
    assert plain
    assert chosen == plain


# --- kinds of repositories -----------------------------------------------------------------------


def test_a_linked_worktree(
    shop: Project, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = pytester.path / "second"
    shop.repository.git("worktree", "add", "--quiet", "-b", "topic", str(place))
    second = Project(Repository(place), pytester, shop.decisions_file)
    break_prices(second.repository)
    assert shop.select().selected == {}
    monkeypatch.chdir(place)
    assert_narrow(assert_alike(second))


def test_a_worktree_inside_the_repository(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    place = shop.repository.root / "trees/topic"
    shop.repository.git("worktree", "add", "--quiet", "-b", "topic", str(place))
    second = Project(Repository(place), shop.pytester, shop.decisions_file)
    break_prices(second.repository)
    monkeypatch.chdir(place)
    assert_narrow(assert_alike(second))


@pytest.fixture
def with_submodule(project: MakeProject, tmp_path: Path) -> Project:
    """A library in a submodule, used by one test."""
    inner = repository(tmp_path / "inner", {"money.py": "CENTS = 100\n"})
    test = "from money import CENTS\n\ndef test_money():\n    assert CENTS == 100\n"
    ini = "[pytest]\npythonpath = . vendored\n"
    made = project({**SHOP, "pytest.ini": ini, "tests/test_money.py": test})
    allow = ("-c", "protocol.file.allow=always")
    made.repository.git(*allow, "submodule", "add", "--quiet", str(inner.root), "vendored")
    made.repository.commit()
    return made


def test_nothing_moved_in_a_submodule(with_submodule: Project) -> None:
    assert with_submodule.select().selected == {}


@pytest.mark.parametrize("how", ["edit", "untracked", "commit", "staged", "whole commit"])
def test_a_change_in_a_submodule(with_submodule: Project, how: str) -> None:
    outer = with_submodule.repository
    inner = Repository(outer.root / "vendored")
    if how == "untracked":
        inner.git("rm", "--quiet", "--cached", "money.py")
    inner.replace("money.py", "100", "10")
    if how not in ("edit", "untracked"):
        inner.commit()
    if how == "staged":
        outer.git("add", "vendored")
    elif how == "whole commit":
        outer.git("switch", "--quiet", "-c", "topic")
        outer.commit()
    assert_alike(with_submodule)


@pytest.mark.parametrize("setting", ["submodule.vendored.ignore", "diff.ignoreSubmodules"])
def test_a_submodule_that_git_is_told_to_ignore(with_submodule: Project, setting: str) -> None:
    with_submodule.repository.git("config", setting, "all")
    Repository(with_submodule.repository.root / "vendored").replace("money.py", "100", "10")
    assert_alike(with_submodule)


def test_a_submodule_that_was_not_checked_out(with_submodule: Project) -> None:
    with_submodule.repository.git("submodule", "deinit", "--quiet", "--force", "vendored")
    plain = with_submodule.run()
    assert plain.ret == 2
    assert with_submodule.run("--ciopt-changed").ret in (0, 2)


def test_a_run_inside_a_submodule(with_submodule: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """There, the submodule is the repository."""
    inner = Repository(with_submodule.repository.root / "vendored")
    inner.commit({"pytest.ini": "[pytest]\n", "test_in.py": "def test_in():\n    assert 1\n"})
    inner.replace("test_in.py", "assert 1", "assert 0")
    monkeypatch.chdir(inner.root)
    assert_alike(Project(inner, with_submodule.pytester, with_submodule.decisions_file))


def test_a_repository_inside_this_one(shop: Project) -> None:
    """Git says no more of it than that it is there."""
    test = "def test_inner():\n    assert False\n"
    repository(shop.repository.root / "nested", {"test_inner.py": test})
    assert_alike(shop)


def test_an_ignored_repository_inside_this_one(shop: Project) -> None:
    shop.repository.commit({".gitignore": "nested/\n"})
    test = "def test_inner():\n    assert False\n"
    repository(shop.repository.root / "nested", {"test_inner.py": test})
    assert_alike(shop)


@pytest.mark.parametrize("take", ["--ours", "--theirs", None])
def test_a_merge_conflict(shop: Project, take: str | None) -> None:
    shop.repository.git("switch", "--quiet", "-c", "topic")
    shop.repository.replace("shop/prices.py", "2 * n", "3 * n")
    shop.repository.commit()
    shop.repository.git("switch", "--quiet", "main")
    shop.repository.replace("shop/prices.py", "2 * n", "4 * n")
    shop.repository.commit()
    shop.repository.git("switch", "--quiet", "topic")
    with pytest.raises(AssertionError):
        shop.repository.git("merge", "main")
    if take is not None:
        shop.repository.git("checkout", take, "shop/prices.py")
    assert shop.repository.git("ls-files", "--unmerged")
    assert_alike(shop)


@pytest.mark.parametrize("deleted_by", ["us", "them"])
def test_a_conflict_of_a_deletion(shop: Project, deleted_by: str) -> None:
    def delete() -> None:
        shop.repository.git("rm", "--quiet", "shop/prices.py")
        shop.repository.commit()

    def edit() -> None:
        shop.repository.replace("shop/prices.py", "2 * n", "3 * n")
        shop.repository.commit()

    shop.repository.git("switch", "--quiet", "-c", "topic")
    (delete if deleted_by == "us" else edit)()
    shop.repository.git("switch", "--quiet", "main")
    (edit if deleted_by == "us" else delete)()
    shop.repository.git("switch", "--quiet", "topic")
    with pytest.raises(AssertionError):
        shop.repository.git("merge", "main")
    assert_alike(shop)
    (shop.repository.root / "shop/prices.py").unlink()
    assert_alike(shop)


def test_no_commit_yet(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Repository(pytester.path / "fresh")
    made.root.mkdir()
    made.git("init", "--quiet")
    made.write(SHOP)
    monkeypatch.chdir(made.root)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    result = Project(made, pytester, pytester.path / "decisions.json").run("--ciopt-changed")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["ciopt: all tests run: there is no commit yet. *"])


def test_a_bare_repository(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.repository.root / ".git")
    (shop.repository.root / ".git/test_hook.py").write_text("def test_hook():\n    pass\n")
    result = shop.run("--ciopt-changed", "-c", os.devnull, "--rootdir=.", "test_hook.py")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["ciopt: all tests run: this git repository has no working tree*"])


def test_a_folder_of_pytest_outside_the_repository(
    shop: Project, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rootdir is what counts, not where pytest is started."""
    monkeypatch.chdir(pytester.path)
    break_prices(shop.repository)
    root = shop.repository.root
    result = shop.run(
        "--ciopt-changed", f"--rootdir={root}", "-c", str(root / "pytest.ini"), str(root)
    )
    assert result.ret == 1, str(result.stdout)
    assert_narrow(result)


def test_sha256(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids of contents are longer there, and not computed alike."""
    made = Repository(pytester.path / "long")
    made.root.mkdir()
    made.git("init", "--quiet", "--object-format=sha256")
    made.commit(SHOP)
    made.git("update-index", "--skip-worktree", "shop/stock.py")
    monkeypatch.chdir(made.root)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    shop = Project(made, pytester, pytester.path / "decisions.json")
    assert shop.run("--ciopt-changed").ret == 0
    break_prices(made)
    assert_alike(shop)


# --- configuration and environment ---------------------------------------------------------------

CONFIGURATION = {
    "diff.noprefix": "true",
    "diff.mnemonicPrefix": "true",
    "diff.external": "false",
    "diff.renames": "copies",
    "diff.orderFile": os.devnull,
    "diff.relative": "true",
    "color.ui": "always",
    "color.status": "always",
    "core.quotePath": "true",
    "core.pager": "false",
    "core.fsmonitor": "false-hook",
    "core.untrackedCache": "true",
    "core.ignoreCase": "true",
    "core.precomposeUnicode": "true",
    "core.trustctime": "false",
    "core.checkStat": "minimal",
    "core.abbrev": "4",
    "core.hooksPath": "/nowhere",
    "status.showUntrackedFiles": "no",
    "status.relativePaths": "true",
    "status.renames": "false",
    "status.short": "true",
    "status.branch": "true",
    "status.showStash": "true",
    "status.aheadBehind": "false",
    "log.showSignature": "true",
    "i18n.logOutputEncoding": "latin1",
    "alias.status": "log",
    "submodule.recurse": "true",
    "core.attributesFile": os.devnull,
    "feature.manyFiles": "true",
}


ALONE = (
    *("diff.noprefix", "diff.external", "color.ui", "core.quotePath"),
    *("status.showUntrackedFiles", "core.fsmonitor", "core.ignoreCase", "all"),
)


@pytest.mark.parametrize("name", ALONE)
def test_a_configuration_of_git(shop: Project, name: str) -> None:
    for key in CONFIGURATION if name == "all" else (name,):
        shop.repository.git("config", key, CONFIGURATION[key])
    break_prices(shop.repository)
    shop.repository.write({"tests/größe/test_new.py": "def test_new():\n    assert False\n"})
    told = shop.select(exit_code=1)
    assert told.everything is None
    assert set(told.selected) == {TOTAL, "tests/größe/test_new.py::test_new"}


@pytest.mark.parametrize("place", ["info/exclude", "mine"])
def test_a_person_who_ignores_tests(shop: Project, place: str) -> None:
    """In a file of the clone alone, or of the person, where nobody else sees it."""
    exclude = shop.repository.root / ".git" / place
    exclude.parent.mkdir(exist_ok=True)
    if place == "mine":
        shop.repository.git("config", "core.excludesFile", str(exclude))
    exclude.write_text("tests/mine\n")
    shop.repository.write({"tests/mine/test_mine.py": "def test_mine():\n    assert False\n"})
    assert_alike(shop)


def test_a_textconv_and_a_diff_driver(shop: Project) -> None:
    shop.repository.commit({".gitattributes": "*.py diff=blind\n"})
    shop.repository.git("config", "diff.blind.textconv", "true")
    shop.repository.git("config", "diff.blind.command", "true")
    break_prices(shop.repository)
    assert_narrow(assert_alike(shop))


def test_a_clean_filter(shop: Project) -> None:
    """What git stores differs from what lies there; what lies there is what runs."""
    shop.repository.git("config", "filter.three.clean", "sed s/2/9/")
    shop.repository.git("config", "filter.three.smudge", "sed s/9/2/")
    shop.repository.commit({".gitattributes": "shop/prices.py filter=three\n"})
    shop.repository.git("add", "--renormalize", ".")
    shop.repository.commit()
    break_prices(shop.repository)
    assert_alike(shop)


def test_the_environment_of_a_hook(
    shop: Project, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a hook git sets variables that may speak of another index, even of another repository."""
    other = repository(pytester.path / "other", {"a.py": ""})
    break_prices(shop.repository)
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.root / ".git/index"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.root))
    monkeypatch.setenv("GIT_PREFIX", "tests/")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    monkeypatch.setenv("GIT_LITERAL_PATHSPECS", "0")
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", "/nowhere")
    assert set(shop.select(exit_code=1).selected) == {TOTAL}


def test_in_a_real_hook(shop: Project) -> None:
    """`git commit -a` has a temporary index; what lies in the folder counts."""
    hook = shop.repository.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        "#!/bin/sh\nexec python -m pytest -p pytest_ciopt.plugin -p no:cacheprovider"
        " --ciopt-changed > told.txt\n"
    )
    hook.chmod(0o755)
    shop.repository.commit({".gitignore": "told.txt\n"})
    break_prices(shop.repository)
    command = ["git", "-c", "user.name=T", "-c", "user.email=t@example.com"]
    done = subprocess.run(
        [*command, "commit", "--all", "-m", "x"],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    told = Path("told.txt").read_text()
    assert done.returncode != 0, told
    assert "1 failed" in told, told
    assert "all tests run" not in told


def test_a_locale_of_another_language(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LANGUAGE", "de")
    break_prices(shop.repository)
    assert_narrow(assert_alike(shop))


# --- what runs leave behind -----------------------------------------------------------------------


def test_bytecode_that_git_does_not_ignore_is_no_change(project: MakeProject) -> None:
    files = {
        "prices.py": "PRICE = 1\n",
        "test_prices.py": "from prices import PRICE\n\ndef test_price():\n    assert PRICE\n",
        "test_other.py": "def test_other():\n    pass\n",
    }
    shop = project({**files, "pytest.ini": "[pytest]\npythonpath = .\n"})
    bytecode = {"__pycache__/prices.cpython-312.pyc": "x", "deep/__pycache__/a.cpython-312.pyc": ""}
    shop.repository.write(bytecode)
    assert shop.select().document["changed"] == []
    shop.repository.write({"__pycache__/notes.txt": "who knows"})
    paths = [file["path"] for file in shop.select().document["changed"]]
    assert paths == ["__pycache__/notes.txt"]


def test_bytecode_without_a_module_can_be_imported_from_elsewhere(project: MakeProject) -> None:
    """Only in `__pycache__` is it certain that Python looks at the module first."""
    shop = project({"test_one.py": "def test_one():\n    pass\n"})
    shop.repository.write({"prices.pyc": "x"})
    assert [file["path"] for file in shop.select().document["changed"]] == ["prices.pyc"]
