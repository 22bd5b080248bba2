"""Real processes under a real tracer, one for all cases: it says what each start was taken for."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from pytest_ciopt.adapters.tracing.files import PROCESS

BEFORE = """
import ctypes.util, json, os, pathlib, shutil, subprocess, sys
for name in [one for one in os.environ if one.startswith(("LESS", "MORE", "LD_", "DYLD_"))]:
    del os.environ[name]
from pytest_ciopt.adapters.tracing.stretch import Stretch
from pytest_ciopt.adapters.tracing.tracer import Tracer
tracer = Tracer(os.getcwd())
assert tracer.start()
found = {}
quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
def run(*words, **options): subprocess.run(words, **{**quiet, **options})
"""
EACH = """
stretch = Stretch()
tracer.enter(stretch)
try: {call}
except OSError: pass
tracer.leave(stretch)
tracer.test("", stretch)
found[{call!r}] = [sorted(stretch.reads), sorted(stretch.lists), stretch.unseen]
"""
AFTER = """
tracer.stop()
assert tracer.problem is None, tracer.problem
print(json.dumps(found))
"""

READS: dict[str, list[str]] = {
    "run('true')": [],
    "run(b'true')": [],
    "run('sleep', '0')": [],
    "run('echo', 'a.txt')": [],
    "run('cat', 'a.txt')": ["a.txt"],
    "run('cat', b'a.txt')": ["a.txt"],
    "run('cat', pathlib.Path('a.txt'))": ["a.txt"],
    "run('cat', os.path.abspath('a.txt'), 'sub/b.txt')": ["a.txt", "sub/b.txt"],
    "run('cat', 'b.txt', '../a.txt', cwd='sub')": ["a.txt", "sub/b.txt"],
    "run('cat', 'absent.txt')": ["absent.txt"],
    "run('cat', '/etc/passwd')": [],
    "run('cat', '--', '-dash')": ["-dash"],
    "run('cat', '-n')": [],
    "run('date', '--file=a.txt')": ["a.txt"],
    "run('date', '-fa.txt')": ["a.txt"],
    "run('head', '-n1', 'a.txt')": ["a.txt"],
    "run('mkdir', '-p', 'new/folder')": ["new/folder"],
    "run('cp', 'a.txt', os.path.join(os.pardir, 'outside'))": ["a.txt"],
    "run('less', 'a.txt')": ["a.txt"],
    "run('cat', 'a.txt', env={'PATH': os.defpath})": ["a.txt"],
    "run(shutil.which('cat'), 'a.txt', close_fds=False)": ["a.txt"],  # is spawned
    "run('cat', 'a.txt', executable=shutil.which('cat'))": ["a.txt"],
    "subprocess.run('true', **quiet)": [],
    "subprocess.check_output(['cat', 'a.txt'])": ["a.txt"],
    "run('git', '--version')": [],
    "run('/usr/bin/git', 'version')": [],
    "run('no-such-program')": [],
    "run('no-such-program', env={'PATH': 'sub'})": ["sub/no-such-program"],
    "run('./absent')": ["absent"],
    "ctypes.util.find_library('nothing-of-that-name')": [],
    "ctypes.util.find_library('c')": [],
    "run('./bin/head', 'a.txt')": ["a.txt", "bin/head"],
    "run('../bin/head', '../a.txt', cwd='sub')": ["a.txt", "bin/head"],
}
UNSEEN = [
    "run(sys.executable, '-S', '-c', '')",
    "run('sh', '-c', 'true')",
    "run('true', shell=True)",
    "run('env', 'true')",
    "run('git', 'status')",
    "run('git', '--version', '--build-options')",
    "run('gcc', '--help=target')",
    "run('/sbin/ldconfig', '-p')",
    "run('bin/other', '--version')",
    "run('bin/cat', '--version')",
    "run(sys.executable, '-V')",
    "run('ls')",
    "run('./sub')",
    "run('cat', 'sub')",
    "run('cp', '-r', '.', '../copy')",
    "run('cp', '-r', '..', '/no-such-folder/copy')",
    "run('rm', 'no-such-file', '--x=sub')",
    "run('true', preexec_fn=lambda: None)",
    "run('./bin/cat', 'a.txt')",
    "run('cat', 'a.txt', env={'PATH': 'bin'})",
    "run('cat', 'a.txt', env={'PATH': 'bin'}, cwd='sub/..')",
    "run('bin/true')",
    "run('bin/false')",
    "run('sh', '-c', 'true', executable=shutil.which('cat'))",
    "run('true', env={'PATH': os.defpath, 'LD_PRELOAD': ''})",
    "run('less', 'a.txt', env={'PATH': os.environ['PATH'], 'LESSOPEN': '|cat %s'})",
    "run('less', '+!true', 'a.txt')",
    "os.system('true')",
    "os.posix_spawn(shutil.which('true'), ['true'], {})",
]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What was read, listed and not seen, by call."""
    top = tmp_path_factory.mktemp("outer") / "top"
    (top / "sub").mkdir(parents=True)
    (top / "bin").mkdir()
    for name in ("a.txt", "sub/b.txt", "-dash"):
        (top / name).write_text("1")
    (top / "bin/cat").write_text("#!/bin/sh\n")
    (top / "bin/true").symlink_to(sys.executable)
    shutil.copy(sys.executable, top / "bin/other")
    (top / "bin/false").symlink_to("other")
    shutil.copy(shutil.which("head") or "", top / "bin/head")
    (top / "bin/cat").chmod(0o755)
    script = BEFORE + "".join(EACH.format(call=call) for call in (*READS, *UNSEEN)) + AFTER
    done = subprocess.run(
        [sys.executable, "-c", dedent(script)], cwd=top, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("call", READS)
def test_a_known_program_reads_what_its_arguments_name(told: dict[str, Any], call: str) -> None:
    program = call.partition("'")[2].partition("'")[0]
    if program == "less" and shutil.which("less") is None:
        pytest.skip("there is no pager")
    assert told[call] == [READS[call], [], None]


@pytest.mark.parametrize("call", UNSEEN)
def test_what_any_other_child_does_is_not_seen(told: dict[str, Any], call: str) -> None:
    assert told[call][2] == PROCESS


def test_the_output_of_a_child_may_be_kept_by_who_started_it(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1")
    (tmp_path / "lib.py").write_text(
        "import subprocess\ndef text(): return subprocess.check_output(['cat', 'a.txt'])\n"
    )
    script = """
import os, sys
sys.path.insert(0, os.getcwd())
from pytest_ciopt.adapters.tracing.tracer import Tracer
tracer = Tracer(os.getcwd())
assert tracer.start()
import lib
lib.text()
tracer.stop()
print(list(tracer._files.readers), tracer._session.reads)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == "['a.txt'] {'a.txt'}\n", done.stderr
