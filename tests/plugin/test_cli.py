"""The command `ciopt`: what it prints is what a run would do; it ends as documented."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

import pytest

from conftest import MakeProject, Project
from pytest_ciopt import __version__
from pytest_ciopt.cli.main import main
from repository import Repository
from shop_project import PRODUCT, TEST_CART, TEST_STOCK

SHOP = PRODUCT | {"tests/test_cart.py": TEST_CART, "tests/deep/test_stock.py": TEST_STOCK}
CART, STOCK = "tests/test_cart.py", "tests/deep/test_stock.py"
TOTAL, EMPTY = f"{CART}::test_total", f"{CART}::test_empty"


@pytest.fixture
def shop(project: MakeProject) -> Project:
    return project(SHOP)


@pytest.fixture
def changed(shop: Project) -> Project:
    """What `tests/test_cart.py` imports has changed."""
    shop.repository.replace("shop/prices.py", "2 * n", "n * 2")
    return shop


class Said:
    """What a command wrote, and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@pytest.fixture
def ciopt(capsys: pytest.CaptureFixture[str]) -> "Ciopt":
    return Ciopt(capsys)


class Ciopt:
    """Runs the command in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str, code: int = 0) -> Said:
        self._capsys.readouterr()
        try:
            ended = main(arguments)
        except SystemExit as error:  # argparse
            ended = error.code if isinstance(error.code, int) else 1
        said = self._capsys.readouterr()
        assert ended == code, said.out + said.err
        return Said(ended, said.out, said.err)


def process(*arguments: str, **options: object) -> "subprocess.CompletedProcess[str]":
    """Runs the command in a process of its own."""
    command = [str(Path(sys.executable).with_name("ciopt")), *arguments]
    return subprocess.run(command, text=True, **options)  # type: ignore[call-overload, no-any-return]


# --- ciopt select --------------------------------------------------------------------------------


def test_select_prints_files_only(changed: Project, ciopt: Ciopt) -> None:
    said = ciopt("select")
    assert said.lines == [CART]
    assert re.fullmatch(r"ciopt: base \w{12} \(merge base with main\); 1 changed file\n", said.err)


def test_select_of_nothing_prints_nothing(shop: Project, ciopt: Ciopt) -> None:
    assert ciopt("select").out == ""
    assert ciopt("select", "--ids").out == ""


def test_what_may_import_anything_does_not_make_a_module_tested(
    shop: Project, ciopt: Ciopt
) -> None:
    """Nothing is known to import the orphan, and the one test that might is no proof."""
    shop.repository.commit(
        {
            "orphan/alone.py": "x = 1\n",
            "tests/test_any.py": "import importlib, os\n\n"
            "def test_any():\n    importlib.import_module(os.environ['ANY'])\n",
        }
    )
    shop.repository.write({"orphan/alone.py": "x = 2\n"})
    said = ciopt("select", "--base", "HEAD")
    assert "all tests run: global: no test imports orphan/alone.py" in said.err
    assert CART in said.lines


def test_select_ids(changed: Project, ciopt: Ciopt) -> None:
    assert ciopt("select", "--ids").lines == [TOTAL, EMPTY]


def test_select_ids_of_a_part(shop: Project, ciopt: Ciopt) -> None:
    shop.repository.replace("tests/conftest.py", "[1, 2]", "[2, 1]")
    assert ciopt("select", "--ids").lines == [TOTAL]
    assert CART in ciopt("select").lines


@pytest.mark.parametrize("form", [("--base", "HEAD~1"), ("--base=HEAD~1",)])
def test_select_since_a_base(changed: Project, ciopt: Ciopt, form: Sequence[str]) -> None:
    changed.repository.commit()
    assert ciopt("select").lines == []
    assert ciopt("select", *form).lines == [CART]
    assert ciopt("select", "--ids", *form).lines == [TOTAL, EMPTY]


@pytest.mark.parametrize(
    ("folder", "files"),
    [("tests", ["test_cart.py"]), ("tests/deep", []), ("shop", [])],
)
def test_select_from_a_subfolder(
    changed: Project,
    ciopt: Ciopt,
    monkeypatch: pytest.MonkeyPatch,
    folder: str,
    files: Sequence[str],
) -> None:
    monkeypatch.chdir(changed.repository.root / folder)
    assert ciopt("select").lines == files


def test_ids_from_a_subfolder_are_those_that_pytest_prints(
    changed: Project, ciopt: Ciopt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(changed.repository.root / "tests")
    assert ciopt("select", "--ids").lines == [TOTAL, EMPTY]
    monkeypatch.chdir(changed.repository.root / "tests/deep")
    assert ciopt("select", "--ids").lines == []


def test_select_when_everything_runs(
    shop: Project, ciopt: Ciopt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIOPT_BASE", "nowhere")
    said = ciopt("select")
    assert said.lines == [STOCK, CART]
    assert "all tests run: " in said.err
    assert len(ciopt("select", "--ids").lines) == 3


def test_select_without_git(
    pytester: pytest.Pytester, ciopt: Ciopt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(test_one="def test_one(): pass", other="")
    said = ciopt("select")
    assert said.lines == ["test_one.py"]
    assert "this is not a git repository" in said.err
    assert ciopt("select", "--ids").lines == ["test_one.py::test_one"]


def test_a_deleted_test_module_is_not_printed(shop: Project, ciopt: Ciopt) -> None:
    (shop.repository.root / CART).unlink()
    assert ciopt("select").lines == []


def test_a_new_test_module_is_printed(shop: Project, ciopt: Ciopt) -> None:
    shop.repository.write({"tests/a b/test_new.py": "def test_new():\n    pass\n"})
    assert ciopt("select").lines == ["tests/a b/test_new.py"]


def test_tests_that_git_does_not_tell_about_are_printed(shop: Project, ciopt: Ciopt) -> None:
    """pytest collects them: what git ignores, and what lies in a submodule."""
    test = "def test_it():\n    pass\n"
    shop.repository.commit({".gitignore": "gen/\n.hidden/\nlone_test.py\n"})
    shop.repository.write(
        dict.fromkeys(("gen/test_gen.py", ".hidden/test_h.py", "lone_test.py"), test)
    )
    other = Repository(shop.repository.root / "vendor/lib")
    other.write({"test_lib.py": test})
    other.git("init", "--quiet")
    other.commit()
    shop.repository.git("add", "vendor/lib")
    shop.repository.git("commit", "--quiet", "-m", "submodule")
    hidden = {"gen/test_gen.py", "lone_test.py", "vendor/lib/test_lib.py"}
    for number, expected in enumerate((hidden, {STOCK, *hidden}), start=3):
        found = ciopt("select", "--base", "HEAD").lines
        assert set(found) == expected
        ids = ciopt("select", "--base", "HEAD", "--ids").lines
        assert {one.partition("::")[0] for one in ids} == set(found)
        shop.repository.replace("shop/stock.py", str(number), str(number + 1))


def test_undecodable_names_are_printed_as_they_are(shop: Project) -> None:
    name = b"tests/test_\xff.py"
    with open(os.fsencode(shop.repository.root) + b"/" + name, "w") as stream:
        stream.write("def test_odd():\n    pass\n")
    command = [str(Path(sys.executable).with_name("ciopt")), "select"]
    assert subprocess.run(command, capture_output=True).stdout == name + b"\n"


CONFIGURATIONS: Mapping[str, Mapping[str, str]] = {
    "pyproject": {
        "pytest.ini": "",
        "pyproject.toml": """
            [tool.pytest.ini_options]
            pythonpath = "."
            python_files = "check_*.py"
            """,
    },
    "setup.cfg": {
        "pytest.ini": "",
        "setup.cfg": "[tool:pytest]\npythonpath = .\npython_files =\n    check_*.py\n",
    },
    "tox.ini": {
        "pytest.ini": "",
        "tox.ini": "[pytest]\npythonpath = .\npython_files = check_*.py test_*.py\n",
    },
    "pytest.toml": {
        "pytest.ini": "",
        "pytest.toml": '[pytest]\npythonpath = ["."]\npython_files = ["check_*.py"]\n',
    },
    "doctests": {"pytest.ini": "[pytest]\npythonpath = .\naddopts = --doctest-modules\n"},
    "text": {"pytest.ini": "[pytest]\npythonpath = .\naddopts = --doctest-glob=*.md\n"},
    "text, apart": {"pytest.ini": "[pytest]\npythonpath = .\naddopts = --doctest-glob '*.md'\n"},
    "default text": {"guide/test_guide.txt": ">>> 1\n1\n"},
    "collector": {
        "conftest.py": """
            import pytest

            class Item(pytest.Item):
                def runtest(self):
                    pass

            class File(pytest.File):
                def collect(self):
                    yield Item.from_parent(self, name="spec")

            def pytest_collect_file(file_path, parent):
                if file_path.suffix == ".yaml":
                    return File.from_parent(parent, path=file_path)
            """,
        "tests/spec.yaml": "1",
    },
    "ignored": {"pytest.ini": "[pytest]\npythonpath = .\naddopts = --ignore=tests/test_cart.py\n"},
    "testpaths": {"pytest.ini": "[pytest]\npythonpath = .\ntestpaths = tests/deep\n"},
    "norecursedirs": {"pytest.ini": "[pytest]\npythonpath = .\nnorecursedirs = deep\n"},
    "collect_ignore": {"conftest.py": "collect_ignore = ['tests/test_cart.py']\n"},
    "plugin": {"pytest.ini": "[pytest]\npythonpath = .\naddopts = -p shop.prices\n"},
    "always": {
        "tests/deep/test_smoke.py": "import pytest\npytestmark = pytest.mark.ciopt_always\n"
        "\ndef test_smoke():\n    pass\n"
    },
}
NEW = {"pytest.toml"}
"""Known to pytest 9 and later only."""
WIDER = ("doctests", "ignored", "testpaths", "norecursedirs", "collect_ignore")
"""A file too many does no harm: whoever runs it by name gets the same answer from pytest."""


@pytest.mark.parametrize(
    "name", sorted(CONFIGURATIONS if pytest.version_tuple >= (9,) else CONFIGURATIONS.keys() - NEW)
)
def test_files_are_those_of_a_run(project: MakeProject, ciopt: Ciopt, name: str) -> None:
    """`pytest $(ciopt select)` runs at least what `pytest --ciopt-changed` runs."""
    extra = CONFIGURATIONS[name]
    cases = {
        "checks/check_cart.py": SHOP["tests/test_cart.py"]
        .replace("basket", "tmp_path_factory")
        .replace("total(tmp_path_factory) == 6", "total([1, 2]) == 6"),
        "guide/use.md": ">>> from shop.cart import total\n>>> total([])\n0\n",
    }
    files = {k: v for k, v in {**SHOP, **cases, **extra}.items() if v or k.endswith(".py")}
    shop = project(files)
    doctest = '"""Prices.\n\n>>> 1\n1\n"""\n' if name == "doctests" else ""
    shop.repository.write({"shop/prices.py": f"{doctest}def price(n):\n    return n * 2\n"})
    printed = set(ciopt("select").lines)
    paths = {t["path"] for t in shop.select().document["tests"] if t["selected"]}
    assert paths <= printed
    assert printed <= paths or name in WIDER


def test_options_from_the_environment_count(
    project: MakeProject, ciopt: Ciopt, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = project(
        {**SHOP, "shop/prices.py": 'def price(n):\n    """\n    >>> 1\n    1\n    """\n'}
    )
    shop.repository.replace("shop/prices.py", "    1\n", "    2\n")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--doctest-modules")
    assert "shop/prices.py" in ciopt("select").lines


def test_the_hooks_have_their_say(project: MakeProject, ciopt: Ciopt) -> None:
    hook = "def pytest_ciopt_dependencies(path, config):\n    return ['shop/pri*.py']\n"
    shop = project({**SHOP, "tests/deep/conftest.py": hook})
    shop.repository.replace("shop/prices.py", "2 * n", "n * 2")
    assert ciopt("select").lines == [STOCK, CART]


def test_a_monorepo_has_a_configuration_in_each_service(
    project: MakeProject, ciopt: Ciopt, monkeypatch: pytest.MonkeyPatch
) -> None:
    ini = "[pytest]\npythonpath = .\npython_files = check_*.py\n"
    test = "from one import ONE\n\ndef test_one():\n    assert ONE\n"
    shop = project({**SHOP, "svc/pytest.ini": ini, "svc/one.py": "ONE = 1\n"})
    shop.repository.commit({"svc/check_one.py": test})
    shop.repository.replace("svc/one.py", "1", "2")
    monkeypatch.chdir(shop.repository.root / "svc")
    assert ciopt("select").lines == ["check_one.py"]


def test_the_same_order_every_time(shop: Project, ciopt: Ciopt) -> None:
    shop.repository.write({"shop/orphan.py": "x = 1\n"})
    assert ciopt("select").lines == sorted(ciopt("select").lines) == [STOCK, CART]


# --- ciopt why -----------------------------------------------------------------------------------


def test_why_a_file_runs(changed: Project, ciopt: Ciopt) -> None:
    assert ciopt("why", CART).lines[1:] == [
        f"{CART} runs",
        "  shop/prices.py modified",
        "  shop/cart.py imports shop.prices.price",
        f"  {CART} imports shop.cart.total",
    ]


def test_why_a_test_runs(changed: Project, ciopt: Ciopt) -> None:
    lines = ciopt("why", TOTAL).lines
    assert lines[1] == f"{TOTAL} runs: imports shop.prices.price via shop.cart"
    assert lines[2:] == [
        "  shop/prices.py modified",
        "  shop/cart.py imports shop.prices.price",
        f"  {CART} imports shop.cart.total",
    ]


@pytest.mark.parametrize("nodeid", [STOCK, f"{STOCK}::test_stock"])
def test_why_something_is_dropped(changed: Project, ciopt: Ciopt, nodeid: str) -> None:
    lines = ciopt("why", nodeid).lines
    assert lines[1] == f"{nodeid} is dropped: nothing that changed is reached from it"
    assert lines[2:] == ["  shop/prices.py: modified; changed"]


def test_why_one_test_of_a_module_is_dropped(shop: Project, ciopt: Ciopt) -> None:
    shop.repository.replace("tests/conftest.py", "[1, 2]", "[2, 1]")
    assert ciopt("why", EMPTY).lines[1] == f"{EMPTY} is dropped: not reached"
    reason = "uses the fixture basket of tests/conftest.py"
    assert ciopt("why", TOTAL).lines[1] == f"{TOTAL} runs: {reason}"
    assert ciopt("why", CART).lines[1].startswith(f"{CART} runs in part")


def test_why_everything_runs(shop: Project, ciopt: Ciopt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIOPT_BASE", "nowhere")
    said = ciopt("why", f"{STOCK}::test_stock")
    assert "all tests run: " in said.lines[0]
    assert said.lines[1].startswith(f"{STOCK}::test_stock runs: ")


def test_why_of_a_base(changed: Project, ciopt: Ciopt) -> None:
    changed.repository.commit()
    assert "is dropped" in ciopt("why", CART).lines[1]
    assert ciopt("why", "--base=HEAD~1", CART).lines[1] == f"{CART} runs"


def test_why_from_a_subfolder(
    changed: Project, ciopt: Ciopt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(changed.repository.root / "tests")
    assert ciopt("why", "test_cart.py").lines[1] == "test_cart.py runs"
    assert (
        ciopt("why", "test_cart.py::test_total")
        .lines[1]
        .endswith("test_total runs: imports shop.prices.price via shop.cart")
    )


def test_why_with_an_absolute_path(changed: Project, ciopt: Ciopt) -> None:
    path = str(changed.repository.root / CART)
    assert ciopt("why", path).lines[1] == f"{path} runs"


def test_why_of_the_hooks(project: MakeProject, ciopt: Ciopt) -> None:
    """What only a hook knows is asked as in a run."""
    hook = "def pytest_ciopt_always(item):\n    return 'smoke'\n"
    project({**SHOP, "conftest.py": hook})
    nodeid = f"{STOCK}::test_stock"
    assert ciopt("why", nodeid).lines[1] == f"{nodeid} runs: always: smoke"


def test_why_a_marked_test_runs(project: MakeProject, ciopt: Ciopt) -> None:
    test = "import pytest\n\n@pytest.mark.ciopt_always\ndef test_smoke():\n    pass\n"
    project({**SHOP, "tests/test_smoke.py": test})
    nodeid = "tests/test_smoke.py::test_smoke"
    assert ciopt("why", nodeid).lines[1] == f"{nodeid} runs: always: marked ciopt_always"


@pytest.mark.parametrize(
    ("nodeid", "words"),
    [
        ("tests/test_typo.py", "there is no file tests/test_typo.py"),
        ("tests/test_typo.py::test_it", "there is no file tests/test_typo.py"),
        (f"{CART}::test_typo", "test_typo"),
        (f"{STOCK}::test_typo", "test_typo"),
        ("/dev/null", "outside the repository"),
        ("../outside.py", "outside the repository"),
        ("::test_total", ""),
        ("", ""),
        ("nul\0byte", ""),
    ],
)
def test_why_of_what_is_not_there(changed: Project, ciopt: Ciopt, nodeid: str, words: str) -> None:
    (changed.repository.root.parent / "outside.py").write_text("")
    said = ciopt("why", nodeid, code=2)
    assert words in said.err
    assert said.err.startswith("ciopt: ")
    assert "Traceback" not in said.err


def test_why_of_a_file_that_is_no_test(changed: Project, ciopt: Ciopt) -> None:
    """An answer about tests: a module is reached, but nothing of it runs."""
    said = ciopt("why", "shop/cart.py")
    assert "shop/prices.py modified" in said.out


def test_why_of_a_folder(changed: Project, ciopt: Ciopt) -> None:
    """Whatever the answer is, it is not that its tests are dropped."""
    command = ["why", "tests"]
    try:
        said = ciopt(*command)
    except AssertionError:
        said = ciopt(*command, code=2)
    assert "is dropped" not in said.out


# --- usage, and ends -----------------------------------------------------------------------------


def test_version(ciopt: Ciopt) -> None:
    assert ciopt("--version").out == f"ciopt {__version__}\n"


@pytest.mark.parametrize("arguments", [("--help",), ("select", "--help"), ("why", "--help")])
def test_help(ciopt: Ciopt, arguments: Sequence[str]) -> None:
    assert "usage: ciopt" in ciopt(*arguments).out


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nonsense",),
        ("select", "--nonsense"),
        ("select", "surplus"),
        ("select", "--base"),
        ("why",),
        ("why", "one", "two"),
        ("--nonsense", "select"),
    ],
)
def test_an_error_of_usage(ciopt: Ciopt, arguments: Sequence[str]) -> None:
    said = ciopt(*arguments, code=2)
    assert said.err.startswith("usage: ciopt")
    assert said.out == ""


@pytest.mark.parametrize(
    ("command", "base"),
    [
        *((("select",), base) for base in ("nowhere", "-x", "")),
        (("select", "--ids"), "nowhere"),
        (("why", CART), "nowhere"),
    ],
)
def test_an_unknown_base(changed: Project, ciopt: Ciopt, command: Sequence[str], base: str) -> None:
    said = ciopt(*command, f"--base={base}", code=2)
    assert "ciopt: " in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


@pytest.mark.parametrize("line", ["ciopt_dependencies = x", "ciopt_strict = perhaps"])
def test_a_setting_that_cannot_be_read(changed: Project, ciopt: Ciopt, line: str) -> None:
    changed.repository.write({"pytest.ini": f"[pytest]\npythonpath = .\n{line}\n"})
    assert ciopt("select", code=2).err.startswith("ciopt: ciopt_")


@pytest.mark.parametrize("text", ["[pytest\n", "[pytest]\nno equals sign\n", "\xff\xfe"])
def test_a_configuration_that_cannot_be_read(changed: Project, ciopt: Ciopt, text: str) -> None:
    (changed.repository.root / "pytest.ini").write_bytes(text.encode("latin1"))
    said = ciopt("select", code=2)
    assert "pytest.ini" in said.err
    assert "Traceback" not in said.err


def test_an_error_of_ours(changed: Project, ciopt: Ciopt, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision that fails is "everything"; what fails beside it has a code of its own."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("injected")

    with monkeypatch.context() as context:
        context.setattr("pytest_ciopt.usecases.decide.select", fail)
        said = ciopt("select")
        assert said.lines == [STOCK, CART]
        assert "ZeroDivisionError: injected" in said.err
        context.setenv("CIOPT_STRICT", "1")
        assert "injected" in ciopt("select", code=2).err
    monkeypatch.setattr("pytest_ciopt.report.lines.header", fail)
    said = ciopt("select", code=70)
    log = Path(said.err.partition("(details in ")[2].partition(")")[0])
    assert "ZeroDivisionError: injected" in log.read_text()
    assert "Traceback" not in said.err
    log.unlink()


def test_a_collection_that_fails(changed: Project, ciopt: Ciopt) -> None:
    """Ids cannot be told; that is said, and nobody takes it for "nothing is selected"."""
    changed.repository.write({"shop/prices.py": "raise RuntimeError('at import')\n"})
    said = ciopt("select", "--ids", code=2)
    assert "pytest cannot collect" in said.err
    assert said.out == ""
    assert ciopt("select").lines == [CART]


def test_nothing_is_run(changed: Project, ciopt: Ciopt) -> None:
    text = "open('ran.txt', 'w')\n\ndef test_it():\n    open('test.txt', 'w')\n"
    changed.repository.write({"tests/test_new.py": text})
    assert "tests/test_new.py" in ciopt("select").lines
    assert not Path("ran.txt").exists()
    assert "tests/test_new.py::test_it" in ciopt("select", "--ids").lines
    assert Path("ran.txt").exists()
    assert not Path("test.txt").exists()


@pytest.mark.parametrize("command", [("select",), ("select", "--ids"), ("why", CART)])
def test_a_reader_that_went_away(changed: Project, command: Sequence[str]) -> None:
    """As in `ciopt select | head -1`."""
    reader, writer = os.pipe()
    os.close(reader)
    done = process(*command, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize("command", [("select",), ("why", CART)])
def test_a_disk_that_is_full(changed: Project, command: Sequence[str]) -> None:
    """A list that was not written may not pass for one that is empty."""
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with open("/dev/full", "w") as stream:
        done = process(*command, stdout=stream, stderr=subprocess.PIPE)
    assert done.returncode not in (0, 1), done.stderr
    assert "Traceback" not in done.stderr


def test_output_that_nobody_wants(changed: Project) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" select >&-', str(Path(sys.executable).with_name("ciopt"))],
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 70)


def test_an_interrupt(changed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    # By its name a package may still know a module that an inner run has imported and left.
    module = import_module("pytest_ciopt.usecases.decide")
    monkeypatch.setattr(module, "select", interrupted)
    assert main(["select"]) == 130


def test_the_folder_is_gone(changed: Project) -> None:
    (changed.repository.root / "gone").mkdir()
    ciopt = str(Path(sys.executable).with_name("ciopt"))
    done = subprocess.run(
        ["sh", "-c", 'cd gone && rmdir ../gone && exec "$0" select', ciopt],
        capture_output=True,
        text=True,
    )
    assert done.returncode in (2, 70), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("where", ["file", "variable"])
def test_settings_of_django_concern_every_test(
    shop: Project, ciopt: Ciopt, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    files = {
        "site_/settings.py": "ROOT_URLCONF = 'site_.urls'\n",
        "site_/urls.py": "urlpatterns = []\n",
        "tests/test_urls.py": "import site_.urls\n",
    }
    shop.repository.write(files)
    if where == "file":
        path = shop.repository.root / "pytest.ini"
        path.write_text(path.read_text() + "DJANGO_SETTINGS_MODULE = site_.settings\n")
    shop.repository.commit()
    if where == "variable":
        monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "site_.settings")
    shop.repository.write({"site_/urls.py": "urlpatterns = [1]\n"})
    assert {CART, "tests/test_urls.py"} <= set(ciopt("select", "--base", "HEAD").lines)
