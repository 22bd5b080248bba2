"""Real Pythons that are started under a real tracer, one for all cases: what is known of each."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pytest_ciopt.adapters.tracing import child, starts
from pytest_ciopt.adapters.tracing.monitor import is_available

pytestmark = pytest.mark.skipif(not is_available(), reason="children are not watched here")

BEFORE = """
import concurrent.futures, json, multiprocessing, os, shutil, signal, subprocess, sys, time
sys.path.insert(0, os.getcwd())
from pytest_ciopt.adapters.tracing.stretch import Stretch
from pytest_ciopt.adapters.tracing.tracer import Tracer
tracer = Tracer(os.getcwd())
assert tracer.start()
quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
def run(*words, **options): subprocess.run([sys.executable, *words], **{**quiet, **options})
def code(text, **options): run("-c", text, **options)
def start(*words):
    return subprocess.Popen([sys.executable, *words], **quiet)
def wait_for(context):
    process = multiprocessing.get_context(context).Process(target=print)
    process.start()
    process.join()
names, found = [], {}
"""
EACH = """
stretch = Stretch()
tracer.enter(stretch)
try: {call}
except (OSError, subprocess.SubprocessError): pass
tracer.leave(stretch)
record = tracer.test("t", stretch)
lines = list(map(json.loads, tracer.encoded(record).splitlines()))
names += [(one["path"], name) for one in lines if one["kind"] == "units" for name in one["names"]]
units, reads, lists, number = set(), set(), set(), 0
for one in lines:
    if one["kind"] == "traced-fixture":
        number = 0
        for step in one.get("units", ()):
            number += step
            units.add(":".join(names[number]))
        reads.update(one.get("reads", ()))
        lists.update(one.get("lists", ()))
found[{call!r}] = [sorted(units), sorted(reads), sorted(lists), stretch.unseen]
"""
AFTER = """
if sys.argv[1:]: last.wait()
tracer.stop()
assert tracer.problem is None, tracer.problem
assert "CIOPT_CHILD" not in os.environ
inputs = [one for one in map(json.loads, tracer.encoded(*tracer.finish()).splitlines())
    if one["kind"] == "inputs"]
found["data"] = sorted(path for one in inputs for path in one.get("data", ()))
found["sources"] = sorted(path for one in inputs for path in one.get("sources", ()))
found["packages"] = sorted(path for one in inputs for path in one.get("packages", ()))
print(json.dumps(found))
"""
FILES = {
    "pkg/__init__.py": "",
    "pkg/cli.py": "from pkg.work import used\nif __name__ == '__main__':\n    used()\n",
    "pkg/work.py": "def used(): return open('a.txt').read()\ndef unused(): pass\n",
    "pkg/late.py": "def late(): pass\nclass A:\n    def __del__(self): late()\n",
    "pkg/child.py": "def run(): return 1\n",
    "tool.py": "import pkg.child\npkg.child.run()\n",
    "a.txt": "1",
    "bad.py": "def f(:\n",
    "more-packages/lib.py": "import sys\nsys.addaudithook(lambda event, arguments: None)\n",
    "sub/only.py": "",
}
BODIES = ["pkg/__init__.py:", "pkg/cli.py:", "pkg/work.py:"]
CLI = [[*BODIES, "pkg/work.py:used"], ["a.txt"], [], None]
TOOL = [["pkg/__init__.py:", "pkg/child.py:", "pkg/child.py:run", "tool.py:"], [], [], None]
NOTHING: list[Any] = [[], [], [], None]
SEEN: dict[str, list[Any]] = {
    "run('-m', 'pkg.cli')": CLI,
    "run('-m', 'pkg.cli', env={**os.environ, 'A': '1'})": CLI,
    "run('-m', 'pkg.cli', env={})": CLI,
    "run('-m', 'pkg.cli', close_fds=False)": CLI,
    "run('-m', 'pkg.cli', cwd=os.getcwd())": CLI,
    "run('-um', 'pkg.cli')": CLI,
    "run('-E', '-m', 'pkg.cli')": CLI,
    "run('-I', '-c', 'import os, sys; sys.path.append(os.getcwd()); import tool')": TOOL,
    "run('tool.py')": TOOL,
    "subprocess.run(['./tool'], **quiet)": [TOOL[0][:-1], ["tool"], [], None],
    "start('-m', 'pkg.cli').wait()": CLI,
    "code('import sys; sys.exit(3)')": NOTHING,
    "code('1/0')": NOTHING,
    "code('import os; os.listdir(\"sub\")')": [[], [], ["sub"], None],
    'code(\'import os; open("new.txt", "w").close(); open("new.txt").close()\')': NOTHING,
    'code(\'import os; os.chdir("sub"); open("../a.txt").close()\')': [[], ["a.txt"], [], None],
    "code('import sys; sys.path.insert(0, \"sub\"); import only')": [
        ["sub/only.py:"],
        [],
        [],
        None,
    ],
    "code('import threading, tool; threading.Thread(target=tool.pkg.child.run).start()')": TOOL,
    "code('import pkg.late as m; m.a = m.A()')": [
        ["pkg/__init__.py:", "pkg/late.py:", "pkg/late.py:A.__del__", "pkg/late.py:late"],
        *([], [], None),
    ],
    'code(\'import subprocess as s; s.run(["cat", "a.txt"])\')': [[], ["a.txt"], [], None],
    "code('import platform as p; p.uname().processor')": NOTHING,
    "code('import ctypes; ctypes.CDLL(\"libc.so.6\")')": NOTHING,
    "run('bad.py')": [[], ["bad.py"], [], None],
    'code(\'import os; os.mkdir("made"); os.rename("made", "m"); os.rmdir("m")\')': [
        *([], ["made"], [], None),
    ],
    "code('import sys; sys.modules.clear(); import tool')": TOOL,
    'code(\'import os; os.symlink("/dev/null", "null"); os.remove("null")\')': NOTHING,
    "code('import sys; sys.path.insert(0, \"more-packages\"); import lib')": [
        ["more-packages/lib.py:"],
        *([], [], None),
    ],
    "run('no-such-script.py')": [[], ["no-such-script.py"], [], None],
    "code('import importlib; importlib.import_module(\"bad\")')": [[], ["bad.py"], [], None],
    'code(\'import pkgutil; pkgutil.get_data("pkg", "child.py")\')': [
        ["pkg/__init__.py:"],
        ["pkg/child.py"],
        *([], None),
    ],
    'code(\'open("a.txt", "a").close(); open("a.txt").close()\')': [[], ["a.txt"], [], None],
    "code('import sqlite3; sqlite3.connect(\"file:a.txt?mode=ro\", uri=True)')": [
        *([], ["a.txt"], [], None),
    ],
    'code(\'import os; os.link("a.txt", "b.txt"); os.rename("b.txt", "c.txt")\')': [
        *([], ["a.txt", "b.txt"], [], None),
    ],
    "run('-m', 'pkg.cli'), run('tool.py')": [
        sorted({*CLI[0], *TOOL[0]}),
        *(["a.txt"], [], None),
    ],
}
UNSEEN = [
    "run('-S', '-m', 'pkg.cli')",
    "run('-IS', '-c', '')",
    "run('-v', '-c', '')",
    "run('-X', 'importtime', '-c', '')",
    "run('-c', '', env={'PYTHONPROFILEIMPORTTIME': '1'})",
    "run('-c', '', preexec_fn=lambda: None)",
    "run('-m', 'pkg.cli'), run('-S', '-c', '')",
    "subprocess.run(f'{sys.executable} -m pkg.cli', shell=True, **quiet)",
    "subprocess.run(['sh', '-c', f'{sys.executable} -m pkg.cli'], **quiet)",
    "subprocess.run([os.path.realpath(sys.executable), '-m', 'pkg.cli'], **quiet)",
    "code('import os; os._exit(0)')",
    "code('import os, signal; os.kill(os.getpid(), signal.SIGKILL)')",
    'code(\'import os; os.execvp("true", ["true"])\')',
    "code('import os; os.fork() or os._exit(0); os.wait()')",
    'code(\'import subprocess, sys; subprocess.run([sys.executable, "-m", "pkg.cli"])\')',
    "code('import os; os.system(\"true\")')",
    'code(\'import subprocess as s; s.run(["env", "cat", "a.txt"])\')',
    "code('import subprocess as s; s.run([\"true\"], preexec_fn=print)')",
    "code('import subprocess as s; s.run(\"true\", shell=True)')",
    'code(\'import subprocess as s; s.run(["cat", "."])\')',
    'code(\'import os; os.waitpid(os.posix_spawnp("true", ["true"], os.environ), 0)\')',
    "code('import ctypes; ctypes.CDLL(\"./a.txt\")')",
    "code('import sys; [sys.monitoring.free_tool_id(i) for i in range(6)]')",
    "code('import sys; [sys.monitoring.set_events(i, 0) for i in range(6) if "
    "sys.monitoring.get_tool(i)]')",
    "code('import atexit; atexit._clear()')",
    "code('import sys; [sys.monitoring.register_callback(i, 1, None) for i in range(6) if "
    "sys.monitoring.get_tool(i)]')",
    "code('import os; os.listdir(os.open(\"sub\", os.O_RDONLY))')",
    "code('import os; os.open(\"a.txt\", os.O_RDONLY, dir_fd=os.open(os.getcwd(), os.O_RDONLY))')",
    'code(\'import multiprocessing as m; p = m.get_context("fork").Process(target=print); '
    "p.start(); p.join()')",
    "code('import os, shutil; shutil.rmtree(os.environ[\"HERE\"], True)', "
    "env={**os.environ, 'HERE': tracer._starts._folder}), os.mkdir(tracer._starts._folder)",
    "code('import sqlite3; sqlite3.connect(\"file:a%2etxt\", uri=True)')",
    'code(\'import os; os.rename("empty", "moved"); os.rename("moved", "empty")\')',
    'code(\'import os; os.symlink("a.txt", "link"); os.remove("link")\')',
    'code(\'import os; os.symlink("/", "link"); os.remove("link")\')',
    "code('import sys; sys.addaudithook(lambda *words: None)')",
    "wait_for('fork')",
    "wait_for('spawn')",
    "wait_for('forkserver')",
    "concurrent.futures.ProcessPoolExecutor(1).submit(print).result()",
    "sys.argv.append('last'); last = start('-c', 'import time; time.sleep(4)')",
]


if sys.version_info < (3, 13):  # it is given `os.environ` there
    UNSEEN.append("run('-m', 'pkg.cli', close_fds=False)")
    del SEEN[UNSEEN[-1]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the children of each call ran, read and listed, and why that may not be all."""
    top = tmp_path_factory.mktemp("top")
    for name, text in FILES.items():
        (top / name).parent.mkdir(exist_ok=True)
        (top / name).write_text(text)
    (top / "tool").write_text(f"#!{sys.executable}\nimport pkg.child\npkg.child.run()\n")
    (top / "tool").chmod(0o755)
    (top / "empty").mkdir()
    return outcome(top, "".join(EACH.format(call=call) for call in (*SEEN, *UNSEEN)))


def outcome(top: Path, script: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", BEFORE + script + AFTER], cwd=top, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("call", SEEN)
def test_a_python_tells_what_it_does(told: dict[str, Any], call: str) -> None:
    assert told[call] == SEEN[call]


@pytest.mark.parametrize("call", UNSEEN)
def test_what_may_not_be_all_counts_as_not_seen(told: dict[str, Any], call: str) -> None:
    assert told[call][3] is not None
    assert "error" not in told[call][3]


def test_modules_of_children_are_inputs_but_not_loaded_here(told: dict[str, Any]) -> None:
    assert {"pkg/work.py", "sub/only.py"} <= set(told["data"])
    assert told["sources"] == []
    assert "sub" in told["packages"]


@pytest.mark.parametrize(("owner", "name", "position", "parameter"), starts._KNOWN)
def test_where_a_python_takes_other_arguments_nothing_is_watched(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, position: int, parameter: str
) -> None:
    def other(*arguments: Any) -> None:
        raise AssertionError

    watching = starts.Starts(["/"])
    watching.start()
    assert watching.expect(()) is not None
    watching.stop()
    monkeypatch.setattr(owner, name, other)
    watching.start()
    assert watching.expect(()) is None
    assert vars(owner)[name] is other
    watching.stop()


def test_what_is_no_environment_is_handed_on_and_the_child_not_seen() -> None:
    watching = starts.Starts(["/"])
    watching.start()
    start = watching.expect(())
    assert start is not None
    assert watching._forking(lambda *arguments: len(arguments))(1, 2, 3, 4, 5, "env") == 6
    assert watching.told(start) is None
    watching.stop()


def watched(top: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """A Python that was told to tell in `told`."""
    told = {"CIOPT_CHILD": f"{top / 'told'}\n{top}/", "PYTHONPATH": str(top)}
    return subprocess.run([sys.executable, *words], env=told, capture_output=True, text=True)


LINE = "pytest_ciopt.pth"
BROKEN = {
    "gone": None,
    "cannot be parsed": "def",
    "raises": "raise ValueError",
    "lacks what is asked for": "",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_hook_that_was_left_behind_breaks_nothing(tmp_path: Path, name: str) -> None:
    text = BROKEN[name]
    folder = tmp_path / "pytest_ciopt" / "adapters" / "tracing"
    folder.mkdir(parents=True)
    if text is not None:
        (folder / "child.py").write_text(text)
    (tmp_path / LINE).write_bytes((Path(__file__).parents[4] / LINE).read_bytes())
    code = f"import site; site.addsitedir({str(tmp_path)!r}); print(1)"
    done = watched(tmp_path, "-ISc", code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")
    assert not (tmp_path / "told").exists()


def test_a_python_that_is_not_asked_imports_nothing_of_ours() -> None:
    code = "import sys; print([name for name in sys.modules if 'ciopt' in name])"
    environment = {k: v for k, v in os.environ.items() if k != "CIOPT_CHILD"}
    done = subprocess.run(
        [sys.executable, "-v", "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"
    assert "pytest_ciopt" not in done.stderr.replace(LINE, "").replace(
        "_editable_impl_pytest_ciopt", ""
    )


def test_a_child_that_ends_late_prints_nothing(tmp_path: Path) -> None:
    """Objects that die with the interpreter still run code, when little of Python is left."""
    (tmp_path / "late.py").write_text(
        "import os, sys\ndef late(): pass\n"
        "class A:\n    def __del__(self, late=late): late()\n"
        "sys.a = os.a = A(); a = A(); a.a = a; sys.meta_path.append(A())\n"
    )
    done = watched(tmp_path, "-c", "import late; b = late.A()")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "'late'" in (tmp_path / "told").read_text()


def test_a_module_that_loads_late_stays_unloaded(tmp_path: Path) -> None:
    """To ask a lazy module for anything loads it."""
    (tmp_path / "heavy.py").write_text("print('loaded')\n")
    (tmp_path / "use.py").write_text(
        "import importlib.util as util, sys\n"
        "spec = util.find_spec('heavy'); spec.loader = util.LazyLoader(spec.loader)\n"
        "module = sys.modules['heavy'] = util.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
    )
    done = watched(tmp_path, "-c", "import use")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "'ended'" in (tmp_path / "told").read_text()


def test_a_child_that_opens_files_late_prints_nothing(tmp_path: Path) -> None:
    """Nothing is left in `os` by then."""
    path = tmp_path / "late.py"
    path.write_text(
        "import io, os, sys\n"
        f"class A:\n    def __del__(self, open=io.open): open({str(path)!r}).close()\n"
        "sys.a = io.a = A(); os.b = A(); a = A(); a.a = a\n"
    )
    done = watched(tmp_path, path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    told = (tmp_path / "told").read_text()
    assert "('missed', 'an error of ours')" in told.partition("('ended'")[2]


ODD = """
import sys, types
class Says:
    __class__ = types.ModuleType
class Odd(types.ModuleType):
    @property
    def __dict__(self):
        print('asked')
        return {}
sys.modules['says'], sys.modules['odd'] = Says(), Odd('odd')
sys.setprofile(lambda frame, event, argument: event == 'call' and print(frame.f_code.co_name))
"""


def test_the_end_disturbs_neither_odd_modules_nor_a_profiler(tmp_path: Path) -> None:
    ran = []
    for told in ({}, {"CIOPT_CHILD": f"{tmp_path / 'told'}\n{tmp_path}/"}):
        words = [sys.executable, "-c", ODD]
        done = subprocess.run(words, env=told, capture_output=True, text=True)
        ran.append((done.returncode, done.stdout, done.stderr))
    assert ran[0] == ran[1]
    assert "'ended'" in (tmp_path / "told").read_text()


def test_what_another_hook_could_hear_is_not_done(tmp_path: Path) -> None:
    script = (
        "import sys; sys.addaudithook(lambda event, _: print(event)); open('/dev/null').close()"
    )
    done = watched(tmp_path, "-c", script)
    heard = done.stdout.splitlines()
    assert heard[0] == "open"
    assert not [event for event in heard if event.startswith(("sys._getframe", "sys.monitoring"))]
    assert not (tmp_path / "told").exists()


class Late(Exception):
    """As of a handler of signals."""


def _raised(by: Callable[[], object]) -> Exception:
    with pytest.raises((TimeoutError, TypeError, AttributeError)) as caught:
        by()
    return caught.value.with_traceback(caught.tb.tb_next)


def _late() -> None:
    raise TimeoutError


def test_whose_error_came_up_while_ours_ran() -> None:
    wrong: Any = None
    assert not child.interrupts(_raised(partial(child.path_in, wrong)))
    assert not child.interrupts(_raised(partial(os.fsdecode, wrong)))
    assert child.interrupts(_raised(_late))
    assert child.interrupts(Late())
