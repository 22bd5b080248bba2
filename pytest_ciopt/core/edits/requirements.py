"""Dependency manifests: the distributions whose pin differs between two texts of one file.

This room reads lock files and requirement files that the caller hands over as text. It may not
touch files, the environment or what is installed, and it never raises for bad input: a change
that cannot be put down to distributions is named in ``DependencyEdit.unclear``, and the caller
then selects everything. Parsers are imported where they are used, for most runs need none.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "pylock.*.toml")
_PIPENV = ("Pipfile", "Pipfile.lock")
_TEXTS = ("requirements*.txt", "*requirements.txt", "requirements*.in", "constraints*.txt")

# What may differ in a lock file while the same distributions get installed: how the resolution
# was asked for (its outcome are the pins) and the root project's own extras (pyproject.toml
# tells of those). Any other key that differs is unclear, the ones of tomorrow included.
_LOCK_NOISE = frozenset({
    "revision", "options", "manifest", "created-by", "tool", "extras", "package", "packages",
    "files", "hashes", "content-hash", "content_hash", "lock-version", "lock_version",
    "strategy", "static_urls", "cross_platform",
})  # fmt: skip
# Everything else in a package's entry is its pin, its requirements under markers included.
_NOT_PIN = frozenset({
    "description", "summary", "metadata", "attestation-identities", "sdist", "wheels", "files",
    "tool",
})  # fmt: skip

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)", re.ASCII)
_COMMENT = re.compile(r"(?:^|\s)#.*")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s|=)")
_OPTION = re.compile(r"--[a-z][a-z-]*|-[a-zA-Z]")
_HASH = re.compile(r"--hash[= ](\S+)")
_LINE = re.compile(r"line:?\s+(\d+)")


@dataclass(frozen=True, slots=True)
class DependencyEdit:
    """What a change of one manifest means.

    ``distributions``: PEP 503 names, sorted, whose pin differs. ``unclear``: why more than these
    may differ, or None.
    """

    distributions: tuple[str, ...]
    unclear: str | None


@dataclass(frozen=True, slots=True)
class Dependency:
    """A distribution (PEP 503 name) and all that is asked of it, as one comparable text."""

    name: str
    pin: str


@dataclass(frozen=True, slots=True)
class Setting:
    """A part of a file that concerns more than one distribution, and its comparable text."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class _FileHash:
    """The hash of a file of a distribution; ``file`` is empty where the manifest names none."""

    name: str
    file: str
    digest: str


Fact = Dependency | Setting | _FileHash


class Unreadable(Exception):
    """Inside core only: why a text says nothing. Reads on from the path: "cannot be parsed"."""


def is_manifest(path: str) -> bool:
    """Tell whether a repository-relative POSIX path is a dependency manifest, in any folder."""
    folder, _, name = f"/{path}".rpartition("/")
    if folder.endswith("/requirements") and name.endswith((".txt", ".in")):
        return True
    return any(fnmatchcase(name, pattern) for pattern in (*_LOCKS, *_PIPENV, *_TEXTS))


def compare(path: str, before: str | None, after: str | None) -> DependencyEdit:
    """Compare two texts of the manifest at ``path``; None stands for an absent file.

    A pin is the version, the source, and the markers and forks it holds for. Files that are
    added to a pinned version are no change; a file whose hash is another one is. With a lock
    file that appears or vanishes all its pins change.
    """
    if before == after:
        return DependencyEdit((), None)
    try:
        old, new = _read(path, before), _read(path, after)
    except Unreadable as error:
        return DependencyEdit((), f"{path} {error}")
    # The settings of a lock mean nothing without its pins; a line of a requirements file does.
    settled = (before is None or after is None) and _kind(path) is not _text_facts
    return DependencyEdit(_changed(old, new), None if settled else _unclear(path, old, new))


def parse_dependency(text: str) -> Dependency | None:
    """Read one PEP 508 requirement or a URL with ``#egg=``; None where no name can be told."""
    from packaging.requirements import Requirement

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a marker is compiled as a string: "\8" would warn
            asked = Requirement(text)
        marker = str(asked.marker or "")
        pin = canonical([sorted(asked.extras), str(asked.specifier), asked.url, marker])
        return Dependency(distribution_name(asked.name), pin)
    except (ValueError, SyntaxError, RecursionError, Unreadable):
        egg = _EGG.search(text)
        return Dependency(distribution_name(egg[1]), " ".join(text.split())) if egg else None


def distribution_name(value: object) -> str:
    """Normalise a name as PEP 503 says.

    Raises:
        Unreadable: it is none. Names get printed, so that no other text may pass for one.
    """
    if isinstance(value, str) and _NAME.fullmatch(value):
        return re.sub(r"[-_.]+", "-", value).lower()
    raise Unreadable("holds something that is no distribution's name")


def toml_table(text: str) -> Mapping[str, object]:
    """Parse TOML. Raises: Unreadable."""
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise unparsed(error) from None


def table(value: object) -> Mapping[str, object]:
    """Take a parsed value for a table. Raises: Unreadable."""
    if isinstance(value, dict):
        return value
    raise Unreadable("holds a plain value where a table belongs")


def unparsed(error: Exception) -> Unreadable:
    """Word a parser's error: only the line it names, for the rest may quote the file."""
    line = _LINE.search(str(error))
    return Unreadable(f"cannot be parsed (line {line[1]})" if line else "cannot be parsed")


def canonical(value: object) -> str:
    """Write a parsed value so that equal values are equal texts. Raises: Unreadable."""
    import json

    try:
        return json.dumps(value, sort_keys=True, default=str)
    except (ValueError, RecursionError):  # a number of 5,000 digits, a thousand tables deep
        raise Unreadable("holds a value too large to compare") from None


def printable(label: str) -> str:
    """A label, fit for one line of output: a line break in a key could forge a CI command."""
    return label if label.isprintable() and len(label) <= 100 else "a part with an unusual name"


def _changed(before: frozenset[Fact], after: frozenset[Fact]) -> tuple[str, ...]:
    pins = {fact.name for fact in before ^ after if isinstance(fact, Dependency)}
    kept = {(fact.name, fact.file) for fact in after if isinstance(fact, _FileHash)}
    gone = (fact for fact in before - after if isinstance(fact, _FileHash))
    return tuple(sorted(pins.union(fact.name for fact in gone if (fact.name, fact.file) in kept)))


def _unclear(path: str, before: frozenset[Fact], after: frozenset[Fact]) -> str | None:
    labels = {printable(fact.label) for fact in before ^ after if isinstance(fact, Setting)}
    return f"{path}: {', '.join(sorted(labels))} changed" if labels else None


def _read(path: str, text: str | None) -> frozenset[Fact]:
    return frozenset() if text is None else frozenset(_kind(path)(text))


def _kind(path: str) -> Callable[[str], Iterator[Fact]]:
    name = path.rpartition("/")[2]
    if name in _PIPENV:
        return _pipenv_facts
    return _lock_facts if any(fnmatchcase(name, lock) for lock in _LOCKS) else _text_facts


def _lock_facts(text: str) -> Iterator[Fact]:
    settings = dict(toml_table(text))
    for entry in _tables(settings.get("package", settings.get("packages"))):
        if not _is_root(entry):
            yield from _entry_facts(entry)
    metadata = table(settings.pop("metadata", {}))
    for owner, files in table(metadata.get("files", {})).items():  # old Poetry and PDM
        yield from _file_hashes(distribution_name(owner.partition(" ")[0]), files)
    for key, value in (*settings.items(), *metadata.items()):
        if key not in _LOCK_NOISE:
            yield Setting(key, canonical(value))


def _entry_facts(entry: Mapping[str, object]) -> Iterator[Fact]:
    name = distribution_name(entry.get("name"))
    pin = {key: value for key, value in entry.items() if key not in _NOT_PIN}
    yield Dependency(name, canonical({**pin, "name": name}))
    for key in ("sdist", "wheels", "files"):
        yield from _file_hashes(name, entry.get(key))


def _is_root(entry: Mapping[str, object]) -> bool:
    """Tell the project itself, whose version and requirements pin nothing of others."""
    places = [entry, *(entry[key] for key in ("source", "directory") if key in entry)]
    keys = ("editable", "virtual", "directory", "path", "url")
    return any(
        place.get(key) in (".", "./") for place in places if isinstance(place, dict) for key in keys
    )


def _file_hashes(name: str, files: object) -> Iterator[_FileHash]:
    for file in _tables(files):
        places = (file.get(key) for key in ("file", "name", "url", "path"))
        place = next((place for place in places if isinstance(place, str)), "")
        digest = file.get("hash", file.get("hashes"))
        if digest is not None:
            yield _FileHash(name, place.rpartition("/")[2], canonical(digest))


def _tables(value: object) -> list[Mapping[str, object]]:
    found = value if isinstance(value, list) else [] if value is None else [value]
    return [table(item) for item in found]


def _pipenv_facts(text: str) -> Iterator[Fact]:
    # Pipfile.lock is JSON, Pipfile is TOML, which never starts with a brace.
    document = _json_table(text) if text.lstrip().startswith("{") else toml_table(text)
    for category, value in document.items():
        if category == "_meta":  # its hash is the one of the Pipfile
            told = {key: part for key, part in table(value).items() if key != "hash"}
            yield Setting("_meta", canonical(told))
        elif category in ("source", "requires", "pipenv"):
            yield Setting(category, canonical(value))
        elif category != "scripts":
            for name, asked in table(value).items():
                yield from _pipenv_entry(category, distribution_name(name), asked)


def _pipenv_entry(category: str, name: str, asked: object) -> Iterator[Fact]:
    pin = dict(asked) if isinstance(asked, dict) else {"version": asked}
    hashes = pin.pop("hashes", None)
    yield Dependency(name, canonical([category, pin]))
    for digest in hashes if isinstance(hashes, list) else ():
        yield _FileHash(name, "", canonical(digest))


def _json_table(text: str) -> Mapping[str, object]:
    import json

    try:
        return table(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise unparsed(error) from None


def _text_facts(text: str) -> Iterator[Fact]:
    for line in _logical_lines(text):
        editable = _EDITABLE.match(line)
        if line.startswith("-") and not editable:
            yield Setting(_option_label(line), line)
        else:
            yield from _requirement_facts(line, line[editable.end() :] if editable else line)


def _logical_lines(text: str) -> Iterator[str]:
    """Join and strip lines in the way of pip's ``req_file.py``; a comment ends a continuation."""
    pending: list[str] = []
    for line in (*text.removeprefix("\ufeff").splitlines(), ""):
        comment = line.lstrip().startswith("#")
        pending.append(" " + line if comment else line.rstrip("\\"))
        if line.endswith("\\") and not comment:
            continue
        whole = " ".join(_COMMENT.sub("", "".join(pending)).split())
        pending.clear()
        if whole:
            yield whole


def _requirement_facts(line: str, asked: str) -> Iterator[Fact]:
    words = asked.split(" ")
    end = next((at for at, word in enumerate(words) if at and word.startswith("-")), len(words))
    options = " ".join(words[end:])
    found = parse_dependency(" ".join(words[:end]))
    if found is None:
        yield Setting("a requirement that names no distribution", line)
        return
    rest = " ".join(_HASH.sub("", options).split())
    yield Dependency(found.name, f"{line[: -len(asked)]} {found.pin} {rest}")
    for digest in _HASH.findall(options):
        yield _FileHash(found.name, "", digest)


def _option_label(line: str) -> str:
    """Name an option without its value, for the URL of an index may carry a password."""
    option = _OPTION.match(line)
    return f"'{option[0]} …'" if option else "an option"
