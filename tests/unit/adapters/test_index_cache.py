import errno
import random
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import pytest

from pytest_ciopt.adapters import index_cache
from pytest_ciopt.adapters.index_cache import NAME, StoredIndex, load, save
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.graph.index import layer

SCANS = {
    "pkg/mod.py": ["os", "pkg.other", "/pkg/other", "#hooks"],
    "pkg/other.py": ["os", ">pkg.doc", "*pkg.plugins"],
    "tests/test_é.py": ["pkg.mod", "café", "~pkg.json", "=run.py"],
    "tests/\udce9.py": ["\udce9"],
    "empty.py": [],
}


def stored(scans: dict[str, list[str]], key: str = "0af3") -> StoredIndex:
    made = layer(scans)
    return StoredIndex(key, made, [f"{n:040x}" for n in range(len(made.files))], ["dirty.py"])


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return StateDir(tmp_path / ".ciopt")


def content(state: StateDir) -> bytes:
    return (state.path / NAME).read_bytes()


@pytest.mark.parametrize(
    "index",
    [
        stored(SCANS),
        stored({}),
        stored({"a.py": []}),
        stored({"a.py": ["x"], "b.py": []}),
        stored({f"m{n}.py": [f"m{m}" for m in range(n)] for n in range(60)}),
        StoredIndex("", layer({"a.py": ["x"]}), ["0" * 64], []),
        stored({"a.py": [""], "b.py": ["x", ""]}),
        stored(SCANS)._replace(commands=("shop", "shop-report")),
    ],
    ids=[
        "mixed",
        "empty",
        "no names",
        "small",
        "large",
        "nothing skipped",
        "empty name",
        "commands",
    ],
)
def test_what_is_saved_is_loaded(state: StateDir, index: StoredIndex) -> None:
    assert save(state, index) is None
    assert load(state) == index
    before = content(state)
    assert save(state, index) is None
    assert content(state) == before, "the same index is the same bytes"


def test_the_second_replaces_the_first(state: StateDir) -> None:
    assert save(state, stored(SCANS)) is None
    assert save(state, stored({"a.py": ["b"]}, key="ff")) is None
    assert load(state) == stored({"a.py": ["b"]}, key="ff")
    files = {path.name for path in (state.path / "cache").iterdir()}
    assert Path(NAME).name in files
    assert len([name for name in files if name.startswith("imports")]) == 1


def test_without_a_cache_there_is_none(state: StateDir) -> None:
    assert load(state) is None
    assert not state.path.exists(), "reading makes no folder"


def test_every_truncation_is_rejected(state: StateDir) -> None:
    assert save(state, stored(SCANS)) is None
    whole, path = content(state), state.path / NAME
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert load(state) is None, length


@pytest.mark.parametrize("extra", [b"\0", b"\n", b"more"])
def test_what_is_longer_is_rejected(state: StateDir, extra: bytes) -> None:
    assert save(state, stored(SCANS)) is None
    (state.path / NAME).write_bytes(content(state) + extra)
    assert load(state) is None


def test_every_flipped_bit_is_noticed(state: StateDir) -> None:
    index = stored(SCANS)
    assert save(state, index) is None
    whole, path = content(state), state.path / NAME
    wrong = []
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        found = load(state)
        if found is not None and found != index:
            wrong.append((bit // 8, whole[bit // 8 - 8 : bit // 8 + 8]))
    assert not wrong, f"{len(wrong)} flipped bits change the index unnoticed: {wrong[:5]}"


def test_random_damage_is_rejected_or_harmless(state: StateDir) -> None:
    index = stored(SCANS)
    assert save(state, index) is None
    whole, path = content(state), state.path / NAME
    rejected = 0
    for seed in range(1_000):
        chance = random.Random(seed)
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 20)):
            place = chance.randrange(len(damaged))
            match chance.randrange(4):
                case 0:
                    damaged[place] = chance.randrange(256)
                case 1:
                    del damaged[place : place + chance.randint(1, 9)]
                case 2:
                    damaged[place:place] = chance.randbytes(chance.randint(1, 9))
                case _:
                    end = place + chance.randint(1, 30)
                    damaged[place:end] = damaged[:30]
            if not damaged:
                break
        path.write_bytes(damaged)
        found = load(state)
        rejected += found is None
        assert found is None or found == index, seed
    assert rejected > 900


def headed(sizes: list[object]) -> bytes:
    """With a checksum that is right for an empty body."""
    head = "\t".join([index_cache.version(), "a", *map(str, sizes)]).encode()
    return b"%d\t%s" % (zlib.crc32(head), head)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"7",
        b'"text"',
        b"[" * 100_000,
        b"\xff\xfe",
        b"\0\0\0\0",
        headed([]),
        headed([0] * 5),
        headed(["0"] * 6),
        headed([0.5] * 6),
        headed([9, -9, 0, 0, 0, 0]),
        headed([0] * 6).replace(b"\t", b" "),
        headed([0] * 6).partition(b"\t")[2],
        headed([0] * 7),
        headed(["", *[0] * 5]),
        headed([1, -1, 0, 0, 0, 0]),
    ],
)
@pytest.mark.parametrize("body", [b"", b"\n", b"\n\0\0\0\0"])
def test_foreign_content_is_rejected(state: StateDir, header: bytes, body: bytes) -> None:
    assert state.write(NAME, header + body) is None
    assert load(state) is None


def test_another_version_is_rejected(state: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    assert save(state, stored(SCANS)) is None
    monkeypatch.setattr(index_cache, "version", lambda: "x")
    assert load(state) is None
    assert save(state, stored(SCANS)) is None
    assert load(state) == stored(SCANS)


def test_a_folder_in_its_place_is_no_cache(state: StateDir) -> None:
    (state.path / NAME).mkdir(parents=True)
    assert load(state) is None
    assert save(state, stored(SCANS)) is not None
    assert load(state) is None
    assert [p.name for p in state.path.glob("cache/imports*")] == [Path(NAME).name]


def test_writers_at_the_same_time_leave_one_whole_index(state: StateDir) -> None:
    indexes = [stored({f"m{n}_{m}.py": ["x"] * n for m in range(80)}, f"{n}") for n in range(4)]
    start, wrong = threading.Barrier(8), list[object]()

    def write(index: StoredIndex) -> None:
        start.wait()
        wrong.extend(note for _ in range(20) if (note := save(state, index)) is not None)

    def read() -> None:
        start.wait()
        for _ in range(60):
            found = load(state)
            if found is not None and found not in indexes:
                wrong.append(found)

    threads = [threading.Thread(target=write, args=(index,)) for index in indexes]
    threads += [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert load(state) in indexes
    assert len(list((state.path / "cache").glob("imports*"))) == 1, "no temporary file is left"


WRITER = """
import sys
from pathlib import Path
from pytest_ciopt.adapters.index_cache import StoredIndex, save
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.graph import scanner
from pytest_ciopt.core.graph.index import layer
made = layer({f"m{n}.py": [f"x{n}"] for n in range(200)})
for _ in range(20):
    assert save(StateDir(Path(sys.argv[1])), StoredIndex(sys.argv[2], made, made.files, [])) is None
"""


def test_processes_at_the_same_time(state: StateDir) -> None:
    command = [sys.executable, "-c", WRITER, str(state.path)]
    writers = [subprocess.Popen([*command, key]) for key in "ab"]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    found = load(state)
    assert found is not None
    assert found.key in "ab"
    assert list(found.blobs) == list(found.layer.files)


# --- the folder ----------------------------------------------------------------------------------


def test_the_folder_ignores_itself(state: StateDir) -> None:
    assert save(state, stored(SCANS)) is None
    assert (state.path / ".gitignore").read_text(encoding="ascii") == "*\n"
    tag = (state.path / "CACHEDIR.TAG").read_text(encoding="ascii")
    assert tag.startswith("Signature: 8a477f597d28d172789f06886806bc55\n")


def test_in_somebody_elses_folder_only_our_part_is_ignored(state: StateDir) -> None:
    state.path.mkdir()
    assert save(state, stored(SCANS)) is None
    assert not (state.path / ".gitignore").exists()
    assert (state.path / "cache" / ".gitignore").read_text(encoding="ascii") == "*\n"


@pytest.mark.parametrize("left", ["", "cache"])
def test_a_run_that_was_killed_leaves_nothing_that_git_would_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    """Else our own files are an untracked change that nobody claims, and everything runs."""
    state = StateDir(tmp_path / ".ciopt")
    (state.path / left).mkdir(parents=True)
    assert save(state, stored(SCANS)) is None
    folders = [state.path, state.path / "cache"]
    assert any((folder / ".gitignore").exists() for folder in folders)


@pytest.mark.parametrize(
    ("function", "number"),
    [
        ("os.replace", errno.ENOSPC),
        ("os.replace", errno.EROFS),
        ("pathlib.Path.mkdir", errno.EACCES),
    ],
)
def test_what_cannot_be_written_is_said(
    state: StateDir, monkeypatch: pytest.MonkeyPatch, function: str, number: int
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError(number, "no way")

    monkeypatch.setattr(function, fail)
    assert save(state, stored(SCANS)) == f"{state.path} cannot be written to: no way"
    monkeypatch.undo()
    assert load(state) is None
    assert not list(state.path.glob("cache/imports*")), "no temporary file is left"


def test_a_read_only_folder(tmp_path: Path) -> None:
    """The superuser may write anywhere, so a file stands where a folder would have to be made."""
    (tmp_path / "file").write_text("", encoding="ascii")
    state = StateDir(tmp_path / "file" / ".ciopt")
    note = save(state, stored(SCANS))
    assert note is not None
    assert note.startswith(f"{state.path} cannot be written to: ")
    assert load(state) is None


def test_a_failed_write_keeps_what_was_there(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert save(state, stored(SCANS)) is None

    def fail(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "disk full")

    monkeypatch.setattr("os.replace", fail)
    assert save(state, stored({})) is not None
    assert load(state) == stored(SCANS)


@pytest.mark.parametrize("locale", ["C", "POSIX"])
def test_names_are_kept_whatever_the_locale(state: StateDir, locale: str) -> None:
    """Without UTF-8 mode the file system's encoding is ASCII there, and identifiers need not be."""
    code = (
        "import sys; from pathlib import Path\n"
        "from pytest_ciopt.adapters.index_cache import StoredIndex, load, save\n"
        "from pytest_ciopt.adapters.statedir import StateDir\n"
        "from pytest_ciopt.core.graph.index import layer\n"
        "state = StateDir(Path(sys.argv[1]))\n"
        "stored = StoredIndex('k', layer({'a.py': ['caf\\xe9', '\\u65e5\\u672c']}), ['0'], [])\n"
        "assert save(state, stored) is None\n"
        "assert load(state) == stored\n"
    )
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", code, str(state.path)],
        env={"LC_ALL": locale, "PYTHONCOERCECLOCALE": "0", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
