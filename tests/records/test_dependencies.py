"""What `--ciopt-record=deps` says that tests depend on: real runs, one process or several."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from hashlib import sha1
from pathlib import Path

import pytest

from conftest import MakeProject
from library import CONFIG, LIB, RECORD, WIDE, lib, of_lib, pytest_command, run
from pytest_ciopt.adapters.tracing.monitor import is_available
from seen import Segment, newest

MONITORED = pytest.mark.skipif(not is_available(), reason="sys.monitoring is of Python 3.12")


@pytest.fixture(params=[(), ("-n2",)], ids=["alone", "xdist"])
def recorded(
    project: MakeProject, request: pytest.FixtureRequest
) -> Callable[[Mapping[str, str | bytes]], Segment]:
    """Runs a suite with `lib.py` beside it, in one process and in two."""

    def record(files: Mapping[str, str | bytes], *arguments: str) -> Segment:
        made = project(CONFIG | files)
        words = [word for word in arguments if request.param or not word.startswith("--dist")]
        told = run(made, RECORD, *request.param, *words)
        assert "ciopt:" not in told
        return newest(made.repository.root)

    return record


Recorded = Callable[..., Segment]


def test_units_are_outermost_functions(recorded: Recorded) -> None:
    seen = recorded(
        {
            "test_a.py": """
import lib
def test_outer(): assert lib.outer() == [4, 5]
def test_method(): assert lib.Thing().method()
def test_lambda(): assert lib.Thing().key() == 2
def test_generator(): assert list(lib.numbers()) == [1, 2]
def test_none(): pass
"""
        }
    )
    assert seen.tests["test_outer"].units == {"test_a.py:test_outer", "lib.py:outer"}
    assert of_lib(seen, "test_method") == lib("Thing.method")
    assert of_lib(seen, "test_lambda") == lib("Thing")
    assert of_lib(seen, "test_generator") == lib("numbers")
    assert seen.tests["test_none"].units == {"test_a.py:test_none"}
    assert {"lib.py:", "test_a.py:"} <= seen.session.units
    assert seen.sources["lib.py"] == blob(LIB.encode())
    assert set(seen.sources) == {"lib.py", "test_a.py"}


def blob(content: bytes) -> str:
    return sha1(b"blob %d\0" % len(content) + content).hexdigest()


@pytest.mark.parametrize("scope", ["class", "module", "package", "session"])
def test_every_user_of_a_fixture_has_what_it_runs(recorded: Recorded, scope: str) -> None:
    """Set-up by the first test, finalizers in the last one: it is no matter."""
    seen = recorded({"test_a.py": WIDE.format(scope=scope)})
    both = lib("one", "two", "three", "four")
    assert of_lib(seen, "test_first") == both | lib("five")
    assert of_lib(seen, "test_second") == of_lib(seen, "test_asks") == both
    assert of_lib(seen, "test_base") == of_lib(seen, "test_last") == lib("one", "two")
    assert of_lib(seen, "test_none") == set()


def test_fixtures_of_functions_belong_to_the_test(recorded: Recorded) -> None:
    seen = recorded(
        {
            "test_a.py": """
import lib, pytest
@pytest.fixture
def own():
    lib.one()
    yield
    lib.two()
@pytest.fixture(autouse=True)
def always(): lib.three()
def test_own(own): pass
def test_other(): pass
"""
        }
    )
    assert of_lib(seen, "test_own") == lib("one", "two", "three")
    assert of_lib(seen, "test_other") == lib("three")


def test_xunit_and_unittest(recorded: Recorded) -> None:
    seen = recorded(
        {
            "test_a.py": """
import lib, unittest
def setup_module(): lib.one()
def teardown_module(): lib.two()
class TestX:
    @classmethod
    def setup_class(cls): lib.three()
    @classmethod
    def teardown_class(cls): lib.four()
    def setup_method(self): lib.five()
    def test_x1(self): pass
    def test_x2(self): pass
class TestU(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        lib.six()
        cls.addClassCleanup(lib.three)
    @classmethod
    def tearDownClass(cls): lib.seven()
    def setUp(self): lib.five()
    def test_u1(self): pass
    def test_u2(self): self.addCleanup(lib.four)
"""
        }
    )
    module = lib("one", "two")
    for test in ("test_x1", "test_x2"):
        assert of_lib(seen, test) == module | lib("three", "four", "five")
    assert of_lib(seen, "test_u1") == module | lib("six", "seven", "five", "three")
    assert of_lib(seen, "test_u2") == module | lib("six", "seven", "five", "three", "four")


def test_set_up_of_packages(recorded: Recorded) -> None:
    """pytest calls it for the first test, without a fixture."""
    seen = recorded(
        {
            "tests/__init__.py": """
import lib
def setup_module(): lib.one()
def teardown_module(): lib.two()
""",
            "tests/sub/__init__.py": "",
            "tests/sub/test_a.py": "def test_a(): pass\ndef test_b(): pass\n",
            "tests/test_c.py": "def test_c(): pass\n",
            "other/__init__.py": "",
            "other/test_d.py": "def test_d(): pass\n",
        }
    )
    for test in ("test_a", "test_b", "test_c"):
        assert of_lib(seen, test) == lib("one", "two")
    assert of_lib(seen, "test_d") == set()


def test_autouse_fixtures_of_wider_scope(recorded: Recorded) -> None:
    seen = recorded(
        {
            "tests/__init__.py": "",
            "tests/conftest.py": """
import lib, pytest
@pytest.fixture(scope="package", autouse=True)
def package(): lib.one()
@pytest.fixture(scope="session", autouse=True)
def session():
    yield
    lib.two()
""",
            "tests/test_a.py": "def test_a(): pass\ndef test_b(): pass\n",
            "other/test_c.py": "def test_c(): pass\n",
        }
    )
    assert of_lib(seen, "test_a") == of_lib(seen, "test_b") == lib("one", "two")
    assert of_lib(seen, "test_c") == set()


def test_a_fixture_that_takes_the_place_of_another(recorded: Recorded) -> None:
    """pytest forgets the one below, under whose name it keeps the one above."""
    seen = recorded(
        {
            "conftest.py": """
import lib, pytest
@pytest.fixture(scope="session")
def thing(): lib.one()
@pytest.fixture(scope="session")
def wide(): lib.two()
""",
            "test_a.py": """
import lib, pytest
@pytest.fixture
def thing(thing): lib.three()
@pytest.fixture(scope="module")
def wide(wide): lib.four()
def test_a(thing): pass
def test_b(thing): pass
def test_c(wide): pass
def test_d(wide): pass
""",
        }
    )
    assert of_lib(seen, "test_a") == of_lib(seen, "test_b") == lib("one", "three")
    assert of_lib(seen, "test_c") == of_lib(seen, "test_d") == lib("two", "four")


def test_fixtures_that_ask_later(recorded: Recorded) -> None:
    """A fixture that hands out `request.getfixturevalue` depends on what is got with it."""
    seen = recorded(
        {
            "test_a.py": """
import lib, pytest
@pytest.fixture(scope="session")
def inner(): lib.one()
@pytest.fixture(scope="session")
def get(request): return lambda: request.getfixturevalue("inner")
def test_a(get): get()
def test_b(get): get()
"""
        },
        "--dist=loadfile",
    )
    assert of_lib(seen, "test_a") == of_lib(seen, "test_b") == lib("one")


def test_parameters_of_wider_fixtures_are_lives_of_their_own(recorded: Recorded) -> None:
    seen = recorded(
        {
            "test_a.py": """
import lib, pytest
@pytest.fixture(scope="module", params=["one", "two"])
def wide(request):
    getattr(lib, request.param)()
    yield
    lib.three()
def test_a(wide): pass
def test_b(wide): pass
"""
        }
    )
    for test in ("test_a", "test_b"):
        assert of_lib(seen, f"{test}[one]") == lib("one", "three")
        assert of_lib(seen, f"{test}[two]") == lib("two", "three")


def test_generators_and_coroutines_that_go_on_in_a_later_test(project: MakeProject) -> None:
    made = project(
        CONFIG
        | {
            "test_a.py": """
import lib
made = {}
def test_begins():
    made["g"], made["c"] = lib.numbers(), lib.later()
    assert next(made["g"]) == 1
def test_goes_on():
    assert next(made["g"]) == 2
def test_first_start():
    try: made["c"].send(None)
    except StopIteration: pass
"""
        }
    )
    run(made, RECORD, "-p", "no:randomly")
    seen = newest(made.repository.root)
    assert of_lib(seen, "test_begins") == lib("numbers")
    assert of_lib(seen, "test_goes_on") == lib("numbers")
    assert of_lib(seen, "test_first_start") == lib("later")


def test_threads(project: MakeProject) -> None:
    """What other threads do while a test runs belongs to it, what they are in the midst of, too."""
    made = project(
        CONFIG
        | {
            "work.py": """
import threading
go, done = threading.Event(), threading.Event()
def waits():
    go.wait(10)
    done.set()
def called(): pass
""",
            "test_a.py": """
import threading, work
def test_calls():
    thread = threading.Thread(target=work.called)
    thread.start()
    thread.join()
def test_starts(): threading.Thread(target=work.waits).start()
def test_between(): pass
def test_ends():
    work.go.set()
    assert work.done.wait(10)
    for thread in threading.enumerate():
        if thread is not threading.current_thread(): thread.join()
def test_after(): pass
""",
        }
    )
    run(made, RECORD, "-p", "no:randomly")
    seen = newest(made.repository.root)
    units = {
        test: {u for u in s.units if u.startswith("work.py")} for test, s in seen.tests.items()
    }
    assert units["test_calls"] == {"work.py:called"}
    assert units["test_starts"] == units["test_between"] == units["test_ends"] == {"work.py:waits"}
    assert units["test_after"] == set()


def test_imports_within_a_test_are_its_own(recorded: Recorded) -> None:
    seen = recorded(
        {
            "lazy.py": "import lib\nVALUE = lib.one()\nTEXT = open('lazy.txt').read()\n",
            "lazy.txt": "text",
            "test_a.py": "def test_a(): import lazy\n",
        }
    )
    assert seen.tests["test_a"].units == {
        "test_a.py:test_a",
        *("lazy.py:", "lib.py:", "lib.py:one"),
    }
    assert seen.tests["test_a"].reads == {"lazy.txt"}
    assert seen.imports["lazy.py"].reads == {"lazy.txt"}
    assert {"lazy.py", "lib.py", "test_a.py"} <= set(seen.sources)


DATA = {
    ".gitignore": "*.tmp\n",
    "pkg/__init__.py": "",
    "pkg/resource.txt": "resource",
    "data/one.json": "1",
    "data/two.json": "2",
    "conftest.py": "TABLE = open('data/table.csv').read()\n",
    "data/table.csv": "a,b",
    "test_a.py": """
import glob, importlib.metadata, importlib.resources, os, pathlib, sqlite3, inspect, pytest
import lib
def cases():
    return pathlib.Path("data/cases.txt").read_text().split()
@pytest.fixture(scope="module")
def two(): return pathlib.Path("data/two.json").read_text()
@pytest.mark.parametrize("case", cases())
def test_case(case): pass
def pytest_generate_tests(metafunc): open("data/generated.txt").close()
def test_open(): open("data/one.json").close()
def test_os_open(): os.close(os.open("data/one.json", os.O_RDONLY))
def test_fixture_1(two): pass
def test_fixture_2(two): pass
def test_resource():
    assert importlib.resources.files("pkg").joinpath("resource.txt").read_text() == "resource"
def test_lists(): assert len(os.listdir("data")) == 6
def test_globs(): assert len(glob.glob("data/*.json")) == 2
def test_walks(): assert list(os.walk("data"))
def test_scans(): assert list(pathlib.Path("data").iterdir())
def test_installed(monkeypatch):
    monkeypatch.syspath_prepend(os.path.abspath("data"))
    importlib.invalidate_caches()
    assert importlib.metadata.version("pytest")
def test_database():
    connection = sqlite3.connect("file:data/data.sqlite?mode=ro", uri=True)
    connection.close()
def test_memory(): sqlite3.connect(":memory:").close()
def test_absent(): assert not pathlib.Path("data/one.json").with_name("none").is_file()
def test_opens_absent():
    with pytest.raises(FileNotFoundError): open("data/absent")
def test_writes(tmp_path):
    (tmp_path / "x").write_text("x")
    pathlib.Path("out.tmp").write_text("x")
    assert pathlib.Path("out.tmp").read_text() == "x"
def test_ignored():
    pathlib.Path("other.tmp").write_text("x")
@pytest.fixture
def reads_ignored(): return pathlib.Path("old.tmp").read_text()
def test_old(reads_ignored): pass
def test_source(): inspect.getsource(lib.one)
def test_outside(): open(os.__file__).close()
""",
    "data/cases.txt": "x y",
    "data/generated.txt": "",
    "data/data.sqlite": b"",
}


def test_files_and_folders(recorded: Recorded) -> None:
    seen = recorded(DATA | {"old.tmp": "old"})
    reads = {name: test.reads for name, test in seen.tests.items()}
    assert reads["test_open"] == reads["test_os_open"] == {"data/one.json"}
    assert reads["test_fixture_1"] == reads["test_fixture_2"] == {"data/two.json"}
    assert reads["test_resource"] == {"pkg/resource.txt"}
    assert reads["test_database"] == {"data/data.sqlite"}
    assert reads["test_opens_absent"] == {"data/absent"}
    assert reads["test_source"] == {"lib.py"}
    for test in ("test_memory", "test_absent", "test_writes", "test_outside", "test_case[x]"):
        assert reads[test] == set(), test
    lists = {name: test.lists for name, test in seen.tests.items() if test.lists}
    assert lists.keys() == {"test_lists", "test_globs", "test_walks", "test_scans"}
    assert all(folders == {"data"} for folders in lists.values())
    assert seen.imports["test_a.py"].reads == {"data/cases.txt"}
    assert seen.imports["conftest.py"].reads == {"data/table.csv"}
    assert seen.session.reads == {"data/generated.txt"}
    assert seen.data["data/one.json"] == blob(b"1")
    assert seen.data["data/absent"] == "absent"
    assert "old.tmp" not in seen.data
    assert set(seen.folders) == {"data"}
    assert not any(test.unseen for test in seen.tests.values())


def test_a_file_that_is_edited_meanwhile_proves_nothing(project: MakeProject) -> None:
    made = project(
        CONFIG
        | {
            "data.txt": "1",
            "test_a.py": """
import lib
def test_a():
    open("data.txt").close()
    for name in ("data.txt", "lib.py"):
        with open(name, "a") as stream: stream.write("\\n")
""",
        }
    )
    run(made, RECORD)
    seen = newest(made.repository.root)
    assert seen.data["data.txt"] == seen.sources["lib.py"] == "changed"
    assert len(seen.sources["test_a.py"]) == 40


PROCESSES = {
    "test_subprocess": "subprocess.run([sys.executable, '-c', ''])",
    "test_system": "os.system('true')",
    "test_fork": "pid = os.fork()\n    if not pid: os._exit(0)\n    os.waitpid(pid, 0)",
    "test_spawned": "start('spawn')",
    "test_forkserver": "start('forkserver')",
    "test_forked": "start('fork')",
    "test_thread": "threading.Thread(target=print).start()",
    "test_known_program": "subprocess.run('true')",
}
HARMLESS = {"test_thread", "test_known_program"}


def test_processes(recorded: Recorded) -> None:
    """What a child runs is not seen, so the test says so; but for Pythons that tell."""
    bodies = "".join(f"def {name}():\n    {body}\n" for name, body in PROCESSES.items())
    seen = recorded(
        {
            "test_a.py": f"""
import multiprocessing, os, subprocess, sys, threading, pytest
pytestmark = pytest.mark.filterwarnings("ignore")
def start(how):
    process = multiprocessing.get_context(how).Process(target=print)
    process.start()
    process.join()
@pytest.fixture(scope="module")
def server(): subprocess.run([sys.executable, "-c", ""])
def test_user_1(server): pass
def test_user_2(server): pass
{bodies}"""
        }
    )
    unseen = {name for name, test in seen.tests.items() if test.unseen == {"starts a process"}}
    pythons = {"test_subprocess", "test_user_1", "test_user_2"}
    assert unseen == PROCESSES.keys() - HARMLESS - pythons | (set() if is_available() else pythons)


def test_subtests_and_doctests(recorded: Recorded) -> None:
    seen = recorded(
        {
            "docs.py": '''
import lib
def documented():
    """
    >>> documented()
    4
    """
    return lib.four()
''',
            "test_a.py": """
import lib, unittest
class TestA(unittest.TestCase):
    def test_sub(self):
        for part in (lib.one, lib.two):
            with self.subTest(part=part.__name__): part()
""",
        },
        "--doctest-modules",
    )
    assert of_lib(seen, "test_sub") == lib("one", "two")
    assert seen.tests["docs.documented"].units == {"docs.py:documented", "lib.py:four"}


def test_failures_of_set_ups_name_their_fixtures(recorded: Recorded) -> None:
    seen = recorded(
        {
            "test_a.py": """
import lib, pytest
@pytest.fixture(scope="module")
def skips():
    if lib.one(): pytest.skip("not here")
def test_a(skips): pass
def test_b(skips): pass
"""
        }
    )
    assert of_lib(seen, "test_a") == of_lib(seen, "test_b") == lib("one")


TEMPLATE = """
import types, pathlib
cache = {}
def render(name):
    if name not in cache:
        text = pathlib.Path(name).read_text()
        code = compile(text, str(pathlib.Path(name).absolute()), "exec")
        cache[name] = types.FunctionType(code, {})
    return cache[name]()
"""


def test_templates_that_are_compiled_once(recorded: Recorded) -> None:
    seen = recorded(
        {
            "page.html": "print('text')",
            "engine.py": TEMPLATE,
            "test_a.py": """
import engine
def test_a(): engine.render("page.html")
def test_b(): engine.render("page.html")
""",
        },
        "--dist=loadfile",
    )
    assert seen.tests["test_a"].reads == seen.tests["test_b"].reads == {"page.html"}


def test_environments_in_the_repository_are_not_ours(recorded: Recorded) -> None:
    seen = recorded(
        {
            "pytest.ini": "[pytest]\npythonpath = . venv/lib\ntestpaths = test_a.py\n",
            "venv/pyvenv.cfg": "",
            "venv/lib/foreign.py": "def f(): open(__file__).close()\n",
            "test_a.py": "import foreign\ndef test_a(): foreign.f()\n",
        }
    )
    assert seen.tests["test_a"].units == {"test_a.py:test_a"}
    assert seen.tests["test_a"].reads == set()
    assert set(seen.sources) == {"test_a.py"}


def test_a_copy_that_is_loaded_from_elsewhere_is_told(project: MakeProject, tmp_path: Path) -> None:
    """Else the tests of an installed package would seem to depend on nothing."""
    (tmp_path / "copy/pkg").mkdir(parents=True)
    (tmp_path / "copy/pkg/__init__.py").write_text("")
    made = project({"src/pkg/__init__.py": "", "test_a.py": "import pkg\ndef test_a(): pass\n"})
    run(made, RECORD, PYTHONPATH=str(tmp_path / "copy"))
    unseen = newest(made.repository.root).session.unseen
    assert unseen == {"pkg is loaded from outside of the repository"}


def test_the_last_failed_first(project: MakeProject) -> None:
    made = project(CONFIG | {"test_a.py": "import lib\ndef test_a(): assert lib.one() == 2\n"})
    for _ in range(2):
        run(made, RECORD, "-p", "cacheprovider", "--lf", ok=False)
        seen = newest(made.repository.root)
        assert of_lib(seen, "test_a") == lib("one")
        assert seen.tests["test_a"].reads == set()  # not for the traceback


COVERED = CONFIG | {
    ".coveragerc": "[run]\nbranch = True\n[report]\nprecision = 2\n",
    "test_a.py": """
import lib, threading
def test_a():
    for part in (lib.one, lib.two, lib.one): part()
def test_b():
    thread = threading.Thread(target=lib.three)
    thread.start(); thread.join()
def test_c(): lib.one() if lib.outer() else lib.two()
def test_d(): assert list(lib.numbers()) == [1, 2]
""",
}


@pytest.mark.parametrize("core", ["ctrace", "sysmon"])
def test_coverage_beside_us(project: MakeProject, core: str) -> None:
    """Neither sees less for the other's sake."""
    if core == "sysmon" and not is_available():
        pytest.skip("sys.monitoring is of Python 3.12")
    if core == "sysmon" and sys.version_info < (3, 14):
        options = ("--cov=.", "--cov-report=json")  # it measures no branches before
    else:
        options = ("--cov=.", "--cov-branch", "--cov-report=json")
    made = project(COVERED if options[1] == "--cov-branch" else COVERED | {".coveragerc": ""})
    report = made.repository.root / "coverage.json"
    reports, segments = [], []
    for record in ("--ciopt-record=off", RECORD):
        run(made, "-p", "pytest_cov", *options, record, COVERAGE_CORE=core)
        text = report.read_text()
        reports.append(text[text.index('"files"') :])
    segments.append(newest(made.repository.root))
    run(made, RECORD)
    segments.append(newest(made.repository.root))
    assert reports[0] == reports[1]
    assert segments[0].tests == segments[1].tests
    assert of_lib(segments[0], "test_d") == lib("numbers")


def test_two_sessions_of_one_process(project: MakeProject) -> None:
    """Code that the first one has seen, the second one sees as well."""
    made = project(CONFIG | {"test_a.py": "import lib\ndef test_a(): lib.one()\n"})
    words = pytest_command(RECORD)[3:]
    script = f"import pytest\nfor _ in range(3): assert pytest.main({words!r}) == 0\n"
    subprocess.run([sys.executable, "-c", script], cwd=made.repository.root, check=True)
    seen = newest(made.repository.root)
    assert seen.tests["test_a"].units == {"test_a.py:test_a", "lib.py:one"}


@pytest.mark.parametrize("inner", ["--ciopt-record=off", RECORD])
def test_sessions_within_tests(project: MakeProject, inner: str) -> None:
    """pytester runs pytest within a test; both may record."""
    made = project(
        CONFIG
        | {
            "conftest.py": "pytest_plugins = ['pytester']\n",
            "test_a.py": f"""
import lib
def test_outer(pytester):
    pytester.makepyfile("import lib\\ndef test_inner(): lib.one()\\n")
    for _ in range(2):
        assert pytester.runpytest_inprocess("-p", "pytest_ciopt.plugin", {inner!r}).ret == 0
    lib.two()
def test_after(): lib.three()
""",
        }
    )
    run(made, RECORD, "-p", "no:randomly")
    seen = newest(made.repository.root)
    assert of_lib(seen, "test_outer") == lib("one", "two")
    assert of_lib(seen, "test_after") == lib("three")


BREAKING = """
from pytest_ciopt import plugin
from pytest_ciopt.{module} import {owner}
code = "def broken(*arguments): raise ZeroDivisionError('ours')"
exec(compile(code, plugin.__file__, "exec"))
{owner}.{name} = broken
"""


@pytest.mark.parametrize("workers", [(), ("-n2",)])
@pytest.mark.parametrize(
    ("module", "owner", "name"),
    [
        ("adapters.tracing.tracer", "Tracer", "enter"),
        ("adapters.tracing.tracer", "Tracer", "finish"),
        ("adapters.tracing.units", "Registry", "place"),
        ("adapters.tracing.files", "Files", "_place"),
        ("hooks.dependencies", "Dependencies", "_note_used"),
    ],
)
def test_an_error_of_ours_ends_the_tracing_only(
    project: MakeProject, workers: tuple[str, ...], module: str, owner: str, name: str
) -> None:
    conftest = BREAKING.format(module=module, owner=owner, name=name)
    made = project(
        CONFIG
        | {
            "conftest.py": conftest,
            "data.txt": "",
            "test_a.py": WIDE.format(scope="module") + "\ndef test_b(): open('data.txt').close()\n",
        }
    )
    told = run(made, RECORD, *workers)
    assert "7 passed" in told
    lines = [line for line in told.splitlines() if line.startswith("ciopt:")]
    assert lines == ["ciopt: dependencies are recorded only in part: ZeroDivisionError: ours"]


@MONITORED
def test_tools_that_are_taken(project: MakeProject) -> None:
    take = "import sys\nfor n in range(6): sys.monitoring.use_tool_id(n, 'other')\n"
    made = project(CONFIG | {"early.py": take, "test_a.py": "def test_a(): pass\n"})
    told = run(made, "-p", "early", RECORD, PYTHONPATH=".")
    assert "ciopt: dependencies are not recorded: other tools that watch Python" in told


@MONITORED
def test_a_tool_that_is_taken_away(project: MakeProject) -> None:
    made = project(
        CONFIG
        | {
            "test_a.py": """
import sys
def test_before(): pass
def test_takes(): sys.monitoring.free_tool_id(3)
def test_after(): pass
"""
        }
    )
    run(made, RECORD, "-p", "no:randomly")
    seen = newest(made.repository.root)
    assert seen.tests["test_before"].unseen == set()
    assert len(seen.tests["test_takes"].unseen) == len(seen.tests["test_after"].unseen) == 1


@MONITORED
def test_nothing_is_traced_where_nothing_is_recorded(project: MakeProject) -> None:
    made = project(CONFIG | {"test_a.py": "import sys\ndef test_a(): print(TOOLS)\n"})
    (made.repository.root / "test_a.py").write_text(
        "import sys\ndef test_a():\n    assert not any(map(sys.monitoring.get_tool, range(6)))\n"
    )
    run(made, "--ciopt-record=results")
    run(made, RECORD, "--collect-only")
    run(made, RECORD, ok=False)
    assert newest(made.repository.root).tests["test_a"].units
