"""What goes wrong around and inside the plugin: no lost test, no broken run, a message that helps.

A failure before collection ends in "all tests run", with the reason; one of ours after that point
is loud.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from conftest import MakeProject, Project

# What tests break must be imported before pytester saves and restores `sys.modules`, so that the
# run meets the same objects.
from pytest_ciopt.adapters import crashlog, index_cache, sources
from pytest_ciopt.core import selection
from pytest_ciopt.core.edits import reach, units
from pytest_ciopt.hooks import early, items, workers
from repository import Repository, repository

SHOP = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "shop/__init__.py": "",
    "shop/prices.py": "def price(n):\n    return 2 * n\n",
    "shop/stock.py": "def stock():\n    return 3\n",
    "tests/test_cart.py": """
        from shop.prices import price

        def test_cart():
            assert price(1) == 2
        """,
    "tests/test_stock.py": """
        from shop.stock import stock

        def test_stock():
            assert stock() == 3
        """,
}
CART, STOCK = "tests/test_cart.py::test_cart", "tests/test_stock.py::test_stock"
IMPORTED = (crashlog, early, index_cache, items, reach, selection, sources, units, workers)


@pytest.fixture
def shop(project: MakeProject) -> Project:
    return project(SHOP)


@pytest.fixture
def broken(shop: Project) -> Project:
    shop.repository.replace("shop/prices.py", "2 * n", "3 * n")
    return shop


def told(result: pytest.RunResult) -> str:
    return f"{result.stdout}\n{result.stderr}"


def assert_no_traceback(result: pytest.RunResult) -> None:
    assert "Traceback" not in told(result), told(result)
    assert "INTERNALERROR" not in told(result), told(result)


def assert_all_run(result: pytest.RunResult, line: str) -> None:
    """Everything ran, the failing test failed, and a line says why."""
    result.assert_outcomes(passed=1, failed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines([f"ciopt: *all tests run: {line}"])
    assert_no_traceback(result)


# --- git -----------------------------------------------------------------------------------------


def test_git_is_missing(broken: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert_all_run(broken.run("--ciopt-changed"), "git is not installed, or not on PATH*")


def test_git_is_no_program(
    broken: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "git").write_text("not a program")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert_all_run(broken.run("--ciopt-changed"), "*git*")
    (tmp_path / "git").chmod(0o755)
    assert_all_run(broken.run("--ciopt-changed"), "*git*")


FAKES = {
    "fails": "echo >&2 'fatal: out of cheese'; exit 128",
    "is killed": "kill -9 $$",
    "says nonsense": "printf '\\377\\0:::\\n\\0u x'; exit 0",
}


@pytest.mark.parametrize("script", FAKES.values(), ids=FAKES)
@pytest.mark.parametrize(
    "command", ["rev-parse", "ls-files", "status", "diff-index", "cat-file", "merge-base"]
)
def test_git_fails(
    broken: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, script: str
) -> None:
    """One command at a time; whatever it is, the failing test runs."""
    real = subprocess.run(["which", "git"], capture_output=True, text=True).stdout.strip()
    fake = tmp_path / "git"
    fake.write_text(
        f'#!/bin/sh\nfor word; do [ "$word" = {command} ] && {{ {script}; }}; done\n'
        f'exec {real} "$@"\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    result = broken.run("--ciopt-changed")
    assert result.ret == 1, told(result)
    result.stdout.fnmatch_lines(["FAILED tests/test_cart.py::test_cart*"])
    assert_no_traceback(result)


def test_no_repository(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    Repository(pytester.path).write(SHOP)
    plain = Project(Repository(pytester.path), pytester, pytester.path / "told.json")
    Repository(pytester.path).replace("shop/prices.py", "2 * n", "3 * n")
    assert_all_run(plain.run("--ciopt-changed"), "this is not a git repository*")
    assert not (pytester.path / ".ciopt/cache").exists()


def test_a_damaged_repository(broken: Project) -> None:
    (broken.repository.root / ".git/index").write_bytes(b"DIRC\0\0\0\2nonsense")
    assert_all_run(broken.run("--ciopt-changed"), "`git *` failed: *")


def test_a_missing_object(broken: Project) -> None:
    """The content at the base is gone, so that nobody can say what changed in the file."""
    blob = broken.repository.git("rev-parse", "HEAD:shop/prices.py")
    path = broken.repository.root / ".git/objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    path.unlink()
    assert broken.run("--ciopt-changed").ret == 1


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_dubious_ownership(broken: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(broken.repository.root, 12345, 12345)
    os.chown(broken.repository.root / ".git", 12345, 12345)
    result = broken.run("--ciopt-changed")
    assert_all_run(result, "git refuses this checkout*dubious ownership*safe.directory*")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "safe.directory")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "*")
    result = broken.run("--ciopt-changed")
    result.assert_outcomes(failed=1)


# --- the base ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "base",
    [
        *("nowhere", "HEAD~99", "-x", "--output=pwned", "--exec=touch pwned", "-", "  ", ""),
        *("HEAD:shop/prices.py", "a..b", "@{upstream}", "x" * 5000, "new\nline", "nul\\x00", "%s"),
        *(f"{'0' * 40}", "^HEAD", "HEAD^{tree}", "größe", ":", ":/nothing"),
    ],
)
def test_a_typed_base_that_is_none(broken: Project, base: str) -> None:
    """A person can correct it: an error of usage, and nothing of it is an option to git."""
    result = broken.run(f"--ciopt-changed={base}")
    assert result.ret == 4, told(result)
    result.stderr.fnmatch_lines(["ERROR: *"])
    assert_no_traceback(result)
    assert not Path("pwned").exists()


@pytest.mark.parametrize("base", ["HEAD", "main", "HEAD^{commit}", "@", "refs/heads/main", " main"])
def test_a_typed_base(broken: Project, base: str) -> None:
    broken.run(f"--ciopt-changed={base}").assert_outcomes(failed=1)


@pytest.mark.parametrize("base", ["nowhere", "-x", "--output=pwned", "0" * 40, "a b", "x" * 5000])
@pytest.mark.parametrize("by", ["CIOPT_BASE", "ciopt_base"])
def test_a_configured_base_that_is_none(
    broken: Project, monkeypatch: pytest.MonkeyPatch, base: str, by: str
) -> None:
    """Nobody is there to correct it: everything runs, and a line says so."""
    if by == "CIOPT_BASE":
        monkeypatch.setenv(by, base)
        result = broken.run("--ciopt-changed")
    else:
        result = broken.run("--ciopt-changed", "-o", f"{by}={base}")
    assert_all_run(result, "*")
    assert not Path("pwned").exists()


def clone(project: Project, depth: int) -> Project:
    """A shallow clone of a topic branch on which a test fails."""
    source = project.repository
    source.git("switch", "--quiet", "-c", "topic")
    source.replace("shop/prices.py", "2 * n", "3 * n")
    source.commit()
    source.git("switch", "--quiet", "main")
    place = project.pytester.path / "clone"
    source.git(
        *("clone", "--quiet", f"--depth={depth}", "--branch=topic", "--no-single-branch"),
        *(f"file://{source.root}", str(place)),
    )
    return Project(Repository(place), project.pytester, project.decisions_file)


@pytest.mark.parametrize("depth", [1, 2])
def test_a_shallow_clone(shop: Project, monkeypatch: pytest.MonkeyPatch, depth: int) -> None:
    shallow = clone(shop, depth)
    monkeypatch.chdir(shallow.repository.root)
    result = shallow.run("--ciopt-changed")
    if depth == 1:
        assert_all_run(result, "*shallow*")
    else:
        result.assert_outcomes(failed=1)


@pytest.mark.parametrize("depth", [1, 2])
def test_a_base_that_a_shallow_clone_lacks(
    shop: Project, monkeypatch: pytest.MonkeyPatch, depth: int
) -> None:
    first = shop.repository.git("rev-parse", "HEAD")
    shop.repository.commit({"README.md": "1"})
    shop.repository.commit({"README.md": "2"})
    shallow = clone(shop, depth)
    monkeypatch.chdir(shallow.repository.root)
    typed = shallow.run(f"--ciopt-changed={first}")
    assert typed.ret == 4
    assert "shallow" in told(typed)
    monkeypatch.setenv("CIOPT_BASE", first)
    assert_all_run(shallow.run("--ciopt-changed"), "*shallow*")


@pytest.mark.parametrize("depth", [1, 2])
def test_a_pull_request_of_github(
    shop: Project, monkeypatch: pytest.MonkeyPatch, depth: int
) -> None:
    """The merge that GitHub makes of it: with both parents, its first is the base."""
    source = shop.repository
    source.git("switch", "--quiet", "-c", "topic")
    source.replace("shop/prices.py", "2 * n", "3 * n")
    source.commit()
    source.git("switch", "--quiet", "main")
    source.commit({"README.md": "words"})
    source.git("merge", "--quiet", "--no-ff", "--no-edit", "topic")
    source.git("update-ref", "refs/pull/7/merge", "HEAD")
    place = shop.pytester.path / "clone"
    place.mkdir()
    checkout = Repository(place)
    checkout.git("init", "--quiet")
    checkout.git(
        "fetch", "--quiet", f"--depth={depth}", f"file://{source.root}", "refs/pull/7/merge"
    )
    checkout.git("checkout", "--quiet", "FETCH_HEAD")
    event = {"pull_request": {"head": {"sha": source.git("rev-parse", "topic")}}}
    (shop.pytester.path / "event.json").write_text(json.dumps(event))
    for name, value in {
        "CI": "true",
        "GITHUB_EVENT_PATH": str(shop.pytester.path / "event.json"),
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_REF": "refs/pull/7/merge",
        "GITHUB_BASE_REF": "main",
        "GITHUB_SHA": source.git("rev-parse", "HEAD"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(place)
    result = Project(checkout, shop.pytester, shop.decisions_file).run("--ciopt-changed")
    if depth == 1:
        assert_all_run(result, "*")
    else:
        result.assert_outcomes(failed=1)


# --- contents ------------------------------------------------------------------------------------

CONTENTS: Mapping[str, bytes] = {
    "syntax": b"def broken(:\n",
    "old Python": b"print 'x'\n",
    "undecodable": b"x = '\xff\xfe'\n",
    "NUL": b"x = 1\0\n",
    "only NUL": b"\0" * 100,
    "unknown coding": b"# coding: klingon\nx = 1\n",
    "UTF-16": "x = 1\n".encode("utf-16"),
    "deep": b"x = " + b"(" * 5000 + b")" * 5000 + b"\n",
    "deep list": b"x = " + b"-" * 20_000 + b"1\n",
    "unterminated": b'"""from shop import prices\n',
    "tabs": b"if 1:\n\tx = 1\n        y = 2\n",
    "continued": b"import \\",
    "nothing": b"",
    "one byte": b"\x80",
    "carriage returns": b"x = 1\ry = 2\r",
    "form feed": b"\x0cx = 1\n",
    "long line": b"x = '" + b"a." * 200_000 + b"'\n",
    "surrogate": b"x = '\xed\xa0\x80'\n",
}


def test_unchanged_files_that_cannot_be_read(shop: Project) -> None:
    """Nobody loads them; they take neither tests nor sharpness away."""
    odd = {
        f"{folder}/odd{number}.py": content
        for folder in ("tools", "shop")
        for number, content in enumerate(CONTENTS.values())
    }
    shop.repository.commit(odd)
    told = shop.select()
    assert (told.everything, told.selected) == (None, {})
    shop.repository.replace("shop/prices.py", "2 * n", "3 * n")
    told = shop.select(exit_code=1)
    assert told.everything is None
    assert set(told.selected) == {CART}


PLACES = [
    *((name, "shop/stock.py") for name in CONTENTS),
    *((name, "tests/test_stock.py") for name in ("syntax", "undecodable", "NUL", "deep")),
    *((name, "tests/conftest.py") for name in ("syntax", "undecodable", "NUL")),
]


@pytest.mark.parametrize(("content", "name"), PLACES)
def test_a_file_changed_to_what_cannot_be_read(shop: Project, name: str, content: str) -> None:
    """What fails without the selection fails with it, and nothing else happens."""
    shop.repository.write({name: CONTENTS[content]})
    plain, chosen = shop.run(), shop.run("--ciopt-changed")
    assert chosen.ret == plain.ret, told(chosen)
    assert "pytest-ciopt failed" not in told(chosen)


@pytest.mark.parametrize("content", ["syntax", "undecodable", "NUL", "deep", "unterminated"])
def test_a_file_that_could_not_be_read_at_the_base(shop: Project, content: str) -> None:
    shop.repository.commit({"shop/stock.py": CONTENTS[content]})
    shop.repository.write({"shop/stock.py": "def stock():\n    return 4\n"})
    shop.run("--ciopt-changed").assert_outcomes(failed=1)


def test_a_huge_generated_module(shop: Project) -> None:
    """50 MB; tests that do not load it do not wait for it for long, nor does memory run out."""
    line = b"TABLE = '" + b"x" * 90 + b"'\n"
    shop.repository.write({"shop/huge.py": line * 500_000})
    result = shop.run("--ciopt-changed", "--co", "-q")
    assert result.ret == 0, told(result)  # nobody loads it: everything
    assert CART in result.stdout.lines
    shop.repository.commit()
    shop.repository.replace("shop/prices.py", "2 * n", "3 * n")
    shop.run("--ciopt-changed").assert_outcomes(failed=1)


LIMITED = """
import os, resource, sys

resource.setrlimit(resource.RLIMIT_AS, (700_000_000, 700_000_000))
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere it may not be limited")
def test_a_huge_data_file(shop: Project) -> None:
    """1 GB, of which most is a hole: it need not fit into memory."""
    shop.repository.commit({"shop/huge.bin": b"\0" * 1000})
    with open(shop.repository.root / "shop/huge.bin", "wb") as stream:
        stream.truncate(1_000_000_000)
    plugins = ("-p", "pytest_ciopt.plugin", "-p", "no:cacheprovider", "--ciopt-changed")
    command = [sys.executable, "-c", LIMITED, "-m", "pytest", *plugins]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "2 passed" in done.stdout, done.stdout + done.stderr
    assert "pytest-ciopt failed" not in done.stdout


# --- permissions ---------------------------------------------------------------------------------

DROPPED = """
import ctypes, os, sys

for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP, as of the next exec
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def without_privileges(*arguments: str) -> subprocess.CompletedProcess[str]:
    """pytest in a process that, even as root, cannot do what permissions forbid."""
    plugins = ("-p", "pytest_ciopt.plugin", "-p", "no:cacheprovider")
    command = [sys.executable, "-c", DROPPED, "-B", "-m", "pytest", *plugins, "--ciopt-changed"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True)


@pytest.fixture
def readable(broken: Project) -> Iterator[Project]:
    """The failing project, in folders that nobody may write to."""
    if not sys.platform.startswith("linux"):
        pytest.skip("permissions are only known to be dropped on Linux")
    paths = [path for path in broken.repository.root.rglob("*") if not path.is_symlink()]
    paths.append(broken.repository.root)
    modes = {path: path.stat().st_mode for path in paths}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    yield broken
    for path in reversed(paths):
        path.chmod(modes[path])


def test_a_read_only_repository(readable: Project) -> None:
    done = without_privileges()
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed in" in done.stdout, done.stdout
    assert "all tests run" not in done.stdout
    assert "cannot be written to" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_an_unreadable_module(readable: Project) -> None:
    """It is the changed one, so its test is told to run, and fails as it must."""
    (readable.repository.root / "shop/prices.py").chmod(0)
    done = without_privileges()
    assert done.returncode == 2, done.stdout + done.stderr
    assert "PermissionError" in done.stdout
    assert "pytest-ciopt failed" not in done.stdout + done.stderr


def test_an_unreadable_module_that_did_not_change(readable: Project) -> None:
    (readable.repository.root / "shop/stock.py").chmod(0)
    done = without_privileges("--continue-on-collection-errors")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED tests/test_cart.py::test_cart" in done.stdout
    assert "pytest-ciopt failed" not in done.stdout + done.stderr


def test_an_unreadable_folder(readable: Project) -> None:
    """Git only warns, and leaves out what it cannot see."""
    (readable.repository.root / "shop").chmod(0)
    done = without_privileges()
    assert done.returncode not in (0, 5), done.stdout + done.stderr
    assert "pytest-ciopt failed" not in done.stdout + done.stderr


# --- settings ------------------------------------------------------------------------------------

SETTINGS = {
    "arrow": ("ciopt_dependencies", "data/*.json tests/test_data.py"),
    "no target": ("ciopt_dependencies", "data/*.json ->"),
    "no glob": ("ciopt_dependencies", "-> tests/test_data.py"),
    "strict": ("ciopt_strict", "perhaps"),
    "explain": ("ciopt_explain", "2"),
}


@pytest.mark.parametrize(("name", "value"), SETTINGS.values(), ids=SETTINGS)
def test_a_setting_that_cannot_be_read(broken: Project, name: str, value: str) -> None:
    ini = f"[pytest]\npythonpath = .\n{name} = {value}\n"
    broken.repository.write({"pytest.ini": ini})
    result = broken.run("--ciopt-changed")
    assert result.ret == 4, told(result)
    result.stderr.fnmatch_lines([f"ERROR: {name} *"])
    assert_no_traceback(result)
    assert broken.run().ret == 1  # who does not use us does not notice


@pytest.mark.parametrize("name", ["CIOPT_STRICT", "CIOPT_EXPLAIN"])
def test_a_variable_that_cannot_be_read(
    broken: Project, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "perhaps")
    result = broken.run("--ciopt-changed")
    assert result.ret == 4, told(result)
    result.stderr.fnmatch_lines([f"ERROR: {name} is 'perhaps'. *"])
    assert broken.run().ret == 1


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest.toml is new in pytest 9")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ciopt_base", "3"),
        ("ciopt_base", "[1]"),
        ("ciopt_ignore", "true"),
        ("ciopt_ignore", "[1, 2]"),
        ("ciopt_strict", "true"),
        ("ciopt_json", "{}"),
    ],
)
def test_a_setting_of_another_type(broken: Project, name: str, value: str) -> None:
    """The native TOML configuration of pytest 9 has types."""
    (broken.repository.root / "pytest.ini").unlink()
    toml = f'[pytest]\npythonpath = ["."]\n{name} = {value}\n'
    broken.repository.write({"pytest.toml": toml})
    result = broken.run("--ciopt-changed")
    assert result.ret in (1, 4), told(result)
    assert_no_traceback(result)


GLOBS = ("[", "[!", "a/[z-a]", "\\", "(", "{a,b}", "!x", "?", "./", "a//b", "../x")


@pytest.mark.parametrize("name", ["ciopt_ignore", "ciopt_run_all", "ciopt_dependencies"])
def test_odd_globs_are_no_error_of_ours(broken: Project, name: str) -> None:
    """Nor do they match what they should not."""
    lines = (f"{g} -> tests/test_cart.py" if name == "ciopt_dependencies" else g for g in GLOBS)
    text = "".join(f"    {line}\n" for line in lines)
    broken.repository.git("stash", "--quiet")
    broken.repository.commit({"pytest.ini": f"[pytest]\npythonpath = .\n{name} =\n{text}"})
    broken.repository.git("stash", "pop", "--quiet")
    broken.run("--ciopt-changed").assert_outcomes(failed=1)


def test_a_slash_is_no_glob_for_everything(broken: Project) -> None:
    """In `.gitignore` it matches nothing; a slip must not switch all tests off."""
    assert broken.run("--ciopt-changed", "-o", "ciopt_ignore=/").ret == 1


@pytest.mark.parametrize("place", ["/nowhere/deep", "/dev/null", "shop/prices.py", "\0", "a" * 300])
def test_a_state_folder_that_cannot_be(
    broken: Project, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    if "\0" in place:
        result = broken.run("--ciopt-changed", "-o", f"ciopt_dir={place}")
    else:
        monkeypatch.setenv("CIOPT_DIR", place)
        result = broken.run("--ciopt-changed")
    assert result.ret == 1, told(result)
    assert "FAILED tests/test_cart.py::test_cart" in told(result)


@pytest.mark.parametrize("place", ["/dev/full", "/nowhere/x.json", "tests", "tests/test_cart.py/x"])
def test_a_document_that_cannot_be_written(broken: Project, place: str) -> None:
    """It says so, and the run ends as it would have."""
    if place == "/nowhere/x.json":
        place = "/proc/nowhere/x.json"
    result = broken.run("--ciopt-changed", f"--ciopt-json={place}")
    assert result.ret == 1, told(result)
    result.stdout.fnmatch_lines(["note: --ciopt-json: * cannot be written: *"])


# --- the cache -----------------------------------------------------------------------------------


def cache_files(shop: Project) -> list[Path]:
    return [path for path in (shop.repository.root / ".ciopt/cache").iterdir() if path.is_file()]


DAMAGE: Mapping[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "flipped": lambda content: content[:-9] + bytes((content[-9] ^ 1,)) + content[-8:],
    "text": lambda content: b"{}\n",
    "list": lambda content: b"[]\n",
    "number": lambda content: b"5\n",
    "deep": lambda content: b"[" * 100_000 + b"\n",
    "no line": lambda content: b"x",
    "sizes": lambda content: content.replace(b'"sizes": [', b'"sizes": [-1, "x", '),
    "huge sizes": lambda content: content.replace(b'"sizes": [', b'"sizes": [99999999999, '),
    "twice": lambda content: content * 2,
    "zeros": lambda content: b"\0" * len(content),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_cache(broken: Project, damage: Callable[[bytes], bytes]) -> None:
    broken.run("--ciopt-changed").assert_outcomes(failed=1)
    for path in cache_files(broken):
        if path.name not in (".gitignore", "CACHEDIR.TAG"):
            path.write_bytes(damage(path.read_bytes()))
    result = broken.run("--ciopt-changed")
    result.assert_outcomes(failed=1)
    assert "pytest-ciopt failed" not in told(result)


def test_a_cache_that_is_a_folder(broken: Project) -> None:
    broken.run("--ciopt-changed")
    for path in cache_files(broken):
        path.unlink()
        path.mkdir()
    broken.run("--ciopt-changed").assert_outcomes(failed=1)


@pytest.mark.parametrize("name", [".ciopt", ".ciopt/cache"])
def test_a_file_where_our_folder_should_be(broken: Project, name: str) -> None:
    broken.repository.commit({".gitignore": ".ciopt\n"})
    broken.repository.replace("shop/prices.py", "3 * n", "4 * n")
    broken.repository.write({name: "mine"})
    result = broken.run("--ciopt-changed")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["note: *.ciopt* cannot be written to: *"])
    assert (broken.repository.root / name).read_text() == "mine"


def test_a_cache_of_another_version_of_the_files(shop: Project) -> None:
    """Restored from another branch, where imports were different."""
    shop.run("--ciopt-changed")
    stored = {path: path.read_bytes() for path in cache_files(shop)}
    shop.repository.commit({"tests/test_stock.py": SHOP["tests/test_cart.py"]})
    for path, content in stored.items():
        path.write_bytes(content)
    shop.repository.replace("shop/prices.py", "2 * n", "3 * n")
    shop.run("--ciopt-changed").assert_outcomes(failed=2)


def test_two_runs_at_once(broken: Project) -> None:
    """They share a cache, that both write."""
    plugins = ("-p", "pytest_ciopt.plugin", "-p", "no:cacheprovider")
    command = [sys.executable, "-m", "pytest", *plugins, "--ciopt-changed"]
    runs = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(3)
    ]
    for run in runs:
        said, _ = run.communicate(timeout=60)
        assert run.returncode == 1, said
        assert "1 failed in" in said
        assert "pytest-ciopt failed" not in said
    broken.run("--ciopt-changed").assert_outcomes(failed=1)


# --- our own errors ------------------------------------------------------------------------------


def fail(*_: object, **__: object) -> None:
    raise ZeroDivisionError("injected")


BEFORE = (
    "pytest_ciopt.usecases.decide.resolve",
    "pytest_ciopt.usecases.decide.select",
    "pytest_ciopt.usecases.decide.Worktree.listing",
    "pytest_ciopt.usecases.decide.Worktree.change",
    "pytest_ciopt.adapters.sources.build",
    "pytest_ciopt.adapters.sources.scan",
    "pytest_ciopt.adapters.index_cache.load",
    "pytest_ciopt.adapters.index_cache.save",
    "pytest_ciopt.adapters.statedir.StateDir.write",
    "pytest_ciopt.adapters.environment.github_event",
    "pytest_ciopt.core.edits.trees.parse",
    "pytest_ciopt.hooks.run.test_files_of",
    "pytest_ciopt.hooks.early._may_end_early",
)


@pytest.mark.parametrize("place", BEFORE)
def test_an_error_of_ours_before_collection(
    broken: Project, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    if place.endswith("_may_end_early"):  # it is asked only when nothing is selected
        broken.repository.git("switch", "--quiet", "-c", "topic")
        broken.repository.commit()
        monkeypatch.setenv("CIOPT_BASE", "topic")
    monkeypatch.setattr(place, fail)
    result = broken.run("--ciopt-changed")
    assert result.ret == 1, told(result)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["ciopt: *all tests run: *ZeroDivisionError: injected*"])
    assert_no_traceback(result)


def log_named(text: str) -> Path:
    return Path(text.partition("(details in ")[2].partition(")")[0])


def test_the_log_of_an_error_of_ours(broken: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_ciopt.usecases.decide.select", fail)
    log = log_named(told(broken.run("--ciopt-changed")))
    text = log.read_text()
    assert "Traceback" in text
    assert "ZeroDivisionError: injected" in text
    assert "decide.py" in text
    assert broken.repository.git("status", "--porcelain").split() == ["M", "shop/prices.py"]


def test_the_log_where_nothing_can_be_written_beside_it(
    broken: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("pytest_ciopt.usecases.decide.select", fail)
    monkeypatch.setenv("CIOPT_DIR", "/dev/null")
    log = log_named(told(broken.run("--ciopt-changed")))
    assert "ZeroDivisionError: injected" in log.read_text()
    log.unlink()


@pytest.mark.parametrize("by", ["flag", "variable", "ini"])
def test_an_error_of_ours_under_strict(
    broken: Project, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setattr("pytest_ciopt.usecases.decide.select", fail)
    arguments: tuple[str, ...] = ()
    if by == "flag":
        arguments = ("--ciopt-strict",)
    elif by == "variable":
        monkeypatch.setenv("CIOPT_STRICT", "1")
    else:
        arguments = ("-o", "ciopt_strict=true")
    result = broken.run("--ciopt-changed", *arguments)
    assert result.ret == 4, told(result)
    result.stderr.fnmatch_lines(["ERROR: *ZeroDivisionError: injected*"])
    assert log_named(str(result.stderr)).is_file()


def test_an_error_in_the_controller_of_workers(broken: Project) -> None:
    """In a process of its own, so that workers are those of the broken installation."""
    plugin = """
        import pytest_ciopt.usecases.decide as decide

        def fail(*_, **__):
            raise ZeroDivisionError("injected")

        decide.select = fail
        """
    (broken.pytester.path / "breaking.py").write_text(
        "\n".join(map(str.strip, plugin.split("\n"))).replace("raise", "    raise")
    )
    with pytest.MonkeyPatch.context() as context:
        context.setenv("PYTHONPATH", str(broken.pytester.path), prepend=os.pathsep)
        result = broken.run("-p", "breaking", "--ciopt-changed", "-n2")
    assert result.ret == 1, told(result)
    result.assert_outcomes(passed=1, failed=1)


AFTER = (
    "pytest_ciopt.core.selection.Selection.decide",
    "pytest_ciopt.core.selection.Selection.verdict",
    "pytest_ciopt.hooks.items.Describer.describe",
    "pytest_ciopt.hooks.items.Describer.place",
    "pytest_ciopt.hooks.collection.Collection._drops",
    "pytest_ciopt.hooks.collection.Collection._decide",
    "pytest_ciopt.report.decisions.document",
    "pytest_ciopt.report.lines.summary",
    "pytest_ciopt.report.lines.header",
)


@pytest.mark.parametrize("place", AFTER)
@pytest.mark.parametrize("red", [True, False], ids=["red", "green"])
def test_an_error_of_ours_later_is_loud(
    shop: Project, monkeypatch: pytest.MonkeyPatch, place: str, red: bool
) -> None:
    shop.repository.replace("shop/prices.py", "2 * n", "3 * n" if red else "n * 2")
    monkeypatch.setattr(place, fail)
    try:
        result = shop.run("--ciopt-changed", f"--ciopt-json={shop.decisions_file}")
    except ZeroDivisionError:
        return  # pytest itself does not survive it, which is loud
    assert "injected" in told(result)
    assert result.ret not in (0, 5) or "all tests run" in told(result), told(result)


def test_an_error_of_ours_in_a_worker_is_loud(broken: Project) -> None:
    plugin = (
        "from pytest_ciopt.hooks.collection import Collection\n\n"
        "def fail(*_, **__):\n    raise ZeroDivisionError('injected')\n\n"
        "Collection._decide = fail\n"
    )
    (broken.pytester.path / "breaking.py").write_text(plugin)
    with pytest.MonkeyPatch.context() as context:
        context.setenv("PYTHONPATH", str(broken.pytester.path), prepend=os.pathsep)
        result = broken.run("-p", "breaking", "--ciopt-changed", "-n1")
    assert result.ret == 3, told(result)
    assert "injected" in told(result)


def test_a_worker_that_dies_does_not_end_green(project: MakeProject) -> None:
    test = """
        import os
        from shop.prices import price

        def test_cart():
            os._exit(1)
        """
    dying = project({**SHOP, "tests/test_cart.py": test})
    dying.repository.replace("shop/prices.py", "2 * n", "n * 2")
    result = dying.run("--ciopt-changed", "-n2", "--max-worker-restart=0")
    assert result.ret not in (0, 5), told(result)


def test_workers_that_cannot_start_do_not_end_green(project: MakeProject) -> None:
    conftest = """
        import os

        if "PYTEST_XDIST_WORKER" in os.environ:
            os._exit(1)
        """
    dying = project({**SHOP, "conftest.py": conftest})
    dying.repository.replace("shop/prices.py", "2 * n", "n * 2")
    result = dying.run("-n2", "--max-worker-restart=0", "--ciopt-changed")
    assert result.ret != 0, told(result)  # 5 is what xdist makes of it


def test_an_interrupt_while_we_decide(broken: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is no error of ours that everything runs upon."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pytest_ciopt.usecases.decide.select", interrupted)
    with pytest.raises(KeyboardInterrupt):
        broken.run("--ciopt-changed")


def test_memory_that_runs_out_while_we_decide(
    broken: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("pytest_ciopt.usecases.decide.select", exhausted)
    assert_all_run(broken.run("--ciopt-changed"), "*MemoryError*")


def test_recursion_without_end_while_we_decide(
    broken: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(*arguments: object) -> None:
        endless(*arguments)

    monkeypatch.setattr("pytest_ciopt.usecases.decide.select", endless)
    assert_all_run(broken.run("--ciopt-changed"), "*RecursionError*")


def test_git_that_hangs_can_be_interrupted(
    broken: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    plugins = ("-p", "pytest_ciopt.plugin", "-p", "no:cacheprovider")
    command = [sys.executable, "-m", "pytest", *plugins, "--ciopt-changed"]
    run = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # A shell that starts the tests in the background has children ignore the signal.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with pytest.raises(subprocess.TimeoutExpired):
        run.communicate(timeout=3)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=10)
    assert run.returncode not in (0, 5)


def test_the_folder_is_gone(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """Nobody can run tests there; but the first to say so may not be a traceback of ours."""
    gone = repository(tmp_path / "gone", SHOP)
    script = (
        "import os, shutil, subprocess, sys\n"
        f"os.chdir({str(gone.root)!r})\n"
        f"shutil.rmtree({str(gone.root)!r})\n"
        "sys.exit(subprocess.call([sys.executable, '-m', 'pytest', '--ciopt-changed']))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode not in (0, 5)
    assert "pytest_ciopt" not in done.stderr


def test_the_reason_is_a_part_of_every_decision(
    broken: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_ciopt.usecases.decide.select", fail)
    decisions = broken.select(exit_code=1)
    assert decisions.everything is not None
    assert "ZeroDivisionError" in decisions.everything
    assert set(decisions.selected) == {CART, STOCK}
