"""What is installed in this interpreter: the import names that a changed distribution can alter.

Reads metadata on ``sys.path`` through importlib.metadata, and of a distribution's files only
their names. It imports nothing of what it finds and may not read the project's sources; where it
knows too little it says that everything is altered, and why.
"""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from collections import deque
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.machinery import all_suffixes
from importlib.metadata import Distribution, distributions
from pathlib import Path
from urllib.parse import unquote, urlsplit

# It imports packaging and pluggy, but shows a test nothing that comes from them.
_OURS = "pytest-ciopt"
_RUNNERS = frozenset({"pytest", "pluggy"})
_COMMANDS = frozenset({"console_scripts", "gui_scripts"})

_REQUIRED = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_QUOTED = re.compile(r"""['"]([^'"]*)['"]""")
# Metadata, byte code, files outside the library folder, what an editable install redirects with.
_NO_MODULE = re.compile(r"^/|^\.\.|\.(?:dist|egg)-info/|(?:^|/)__pycache__/|^__editable__")
_SUFFIXES = tuple(sorted(all_suffixes(), key=len, reverse=True))


_Copies = Sequence[Distribution]


@dataclass(frozen=True, slots=True)
class DependencyReach:
    """What changed distributions can alter.

    ``everything``: why it is all tests, or None. ``modules``: import name, dotted for a part of
    a namespace package, to the reason; sorted; empty when it is everything.
    """

    everything: str | None
    modules: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Need:
    """One requirement of an installed distribution."""

    dependent: str
    requirement: str


@dataclass(frozen=True, slots=True)
class Installed:
    """All distributions on ``sys.path``, each name with all its copies, and who needs whom."""

    copies: Mapping[str, _Copies]
    needs: Mapping[str, Sequence[_Need]]
    unclear: str | None = None
    """Why any change may alter everything."""
    _names: dict[str, Sequence[str]] = field(default_factory=dict)

    def import_names(self, name: str) -> Sequence[str]:
        """What can be imported of a distribution, and who loads its entry points."""
        if name not in self._names:
            copies = self.copies.get(name, ())
            each = (one for copy in copies for one in (*_import_names(copy), *_loaders(copy)))
            self._names[name] = tuple(dict.fromkeys(each))
        return self._names[name]


@dataclass(frozen=True, slots=True)
class _Step:
    """A reached distribution, and the way to it: ``changed``, then ``through``, then ``name``."""

    name: str
    changed: str
    through: str


class _Everything(Exception):
    """The reason why all tests are altered, found on the way."""


def reach(
    changed: Sequence[str],
    own_modules: Container[str],
    *,
    root: Path | None = None,
    known: Installed | None = None,
) -> DependencyReach:
    """Find what distributions can alter: themselves and all that need them, transitively.

    Requirements count when their markers hold here, those of extras when the distribution is
    installed. The project under test is not followed, for its imports are known better: that is
    what is installed editable from inside ``root`` (default: the git work tree around the
    current folder), and what has import names all of which are in ``own_modules``. Linear in
    the size of the installed metadata, which need not be read again when it is ``known``.
    """
    if not changed:
        return DependencyReach(None, {})
    home = _work_tree() if root is None else root
    names = sorted({_normal(name) for name in changed})
    try:
        found = installed() if known is None else known
        if found.unclear is not None:
            raise _Everything(found.unclear)
        steps = tuple(_steps(names, found, own_modules, home))
        for role in (_plugin_role, _start_role):
            _look_for(role, steps, found)
        return DependencyReach(None, _modules(steps, found))
    except _Everything as reason:
        return DependencyReach(str(reason), {})


def provide(name: str, root: Path) -> bool:
    """Whether Python or what is installed outside of ``root`` has a top-level module ``name``."""
    if name in sys.stdlib_module_names:
        return True
    base = os.path.realpath(root)
    for folder in map(os.path.realpath, sys.path):
        inside = folder == base or folder.startswith(base + os.sep)
        if inside and "site-packages" not in folder:
            continue
        place = os.path.join(folder, name)
        if os.path.isdir(place) or any(os.path.exists(place + suffix) for suffix in _SUFFIXES):
            return True
    return False


def _steps(
    changed: Sequence[str], installed: Installed, own: Container[str], home: Path | None
) -> Iterator[_Step]:
    """Walk from the changed ones to their dependents, the nearest first, in a stable order."""
    seen = set(changed)
    queue = deque(_Step(name, name, "") for name in changed)
    while queue:
        step = queue.popleft()
        yield step
        for need in installed.needs.get(step.name, ()):
            copies = installed.copies[need.dependent]
            # What acts on every test does so without its extras, and pytest's own `dev` names half
            # of what a project may depend on.
            acts = need.dependent in _RUNNERS or any(map(_has_plugin, copies))
            if need.dependent in seen or not _applies(need.requirement, extras=not acts):
                continue
            seen.add(need.dependent)
            if need.dependent != _OURS and not all(_is_own(copy, own, home) for copy in copies):
                through = "" if step.name == step.changed else step.name
                queue.append(_Step(need.dependent, step.changed, through))


def _look_for(
    role: Callable[[str, _Copies], str], steps: Sequence[_Step], installed: Installed
) -> None:
    """Stop at the first distribution with a part in every test. Raises: _Everything."""
    for step in steps:
        if part := role(step.name, installed.copies.get(step.name, ())):
            if step.name != step.changed:
                raise _Everything(f"{step.changed} is needed by {step.name}, {part}")
            is_ = "" if part.startswith("which ") else "is "
            raise _Everything(f"{step.name} {is_}{part.removeprefix('which ')}")


def _plugin_role(name: str, copies: _Copies) -> str:
    if name in _RUNNERS:
        return "which runs all tests"
    return "a pytest plugin" if any(map(_has_plugin, copies)) else ""


def _start_role(name: str, copies: _Copies) -> str:
    return "which runs whenever Python starts" if any(map(_starts_with_python, copies)) else ""


def _modules(steps: Sequence[_Step], installed: Installed) -> Mapping[str, str]:
    """Give all import names of the reached distributions. Raises: _Everything."""
    modules: dict[str, str] = {}
    for step in steps:
        copies = installed.copies.get(step.name, ())
        names = installed.import_names(step.name)
        if not all(map(_is_known, copies)) or (step.name == step.changed and not names):
            raise _Everything(f"nothing is known of the distribution {step.name}")
        for name in names:  # the nearest to the change gives the reason
            modules.setdefault(name, _reason(step))
    return dict(sorted(modules.items()))


def _reason(step: _Step) -> str:
    if step.name == step.changed:
        return step.name
    through = f" through {step.through}" if step.through else ""
    return f"{step.changed}, which {step.name} needs{through}"


def installed() -> Installed:
    """Read what is installed."""
    copies: dict[str, list[Distribution]] = {}
    needs: dict[str, list[_Need]] = {}
    for distribution in distributions():
        headers = _headers(distribution)
        name = _normal(next((value for key, value in headers if key == "name"), ""))
        if not name:  # it may need anything
            place = getattr(distribution, "_path", "an installed distribution")
            return Installed({}, {}, f"the metadata in {place} cannot be read")
        copies.setdefault(name, []).append(distribution)
        for requirement in _requirements(distribution, headers):
            if required := _REQUIRED.match(requirement):
                needs.setdefault(_normal(required[1]), []).append(_Need(name, requirement))
    ordered = {key: sorted(found, key=lambda need: need.dependent) for key, found in needs.items()}
    return Installed(copies, ordered)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _text(distribution: Distribution, name: str) -> str:
    try:
        return distribution.read_text(name) or ""
    except (OSError, ValueError):  # not UTF-8
        return ""


def _headers(distribution: Distribution) -> Sequence[tuple[str, str]]:
    """Read the headers alone: parsing descriptions as e-mail takes ten times as long."""
    places = ("METADATA", "PKG-INFO", "")  # the last for an .egg-info that is a file
    text = next(filter(None, (_text(distribution, place) for place in places)), "")
    pairs = (line.partition(":") for line in text.partition("\n\n")[0].splitlines())
    return [(key.lower(), value.strip()) for key, _, value in pairs]


def _requirements(distribution: Distribution, headers: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield from (value for key, value in headers if key == "requires-dist")
    # The sections of an .egg-info are extras and markers: all count.
    yield from _text(distribution, "requires.txt").splitlines()


def _applies(requirement: str, extras: bool) -> bool:
    """Whether a requirement's marker holds here; with `extras`, for any extra that it names."""
    from packaging.requirements import Requirement

    try:
        marker = Requirement(requirement).marker
        names = ["", *_QUOTED.findall(str(marker))] if extras else [""]
        return marker is None or any(marker.evaluate({"extra": name}) for name in names)
    except Exception:  # whatever packaging makes of it: who cannot be understood is needed
        return True


def _loaders(distribution: Distribution) -> Iterator[str]:
    """Who loads its entry points: by custom the module that a group's name begins with.

    Nobody imports what is loaded so. ``pytest11`` is looked after elsewhere.
    """
    for line in _text(distribution, "entry_points.txt").splitlines():
        group = line.strip()
        if group[:1] == "[" and group.endswith("]") and group[1:-1] not in _COMMANDS:
            top = group[1:-1].partition(".")[0].strip()
            if top.isidentifier():
                yield top


def _has_plugin(distribution: Distribution) -> bool:
    lines = _text(distribution, "entry_points.txt").splitlines()
    return any(line.strip() == "[pytest11]" for line in lines)


def _starts_with_python(distribution: Distribution) -> bool:
    """Whether it has a ``.pth`` file, but for those that only point to a folder or namespace."""
    files = [file for file in _files(distribution) if file.endswith(".pth") and "/" not in file]
    real = [file for file in files if not file.endswith("-nspkg.pth")]
    return bool(real) and _editable_folder(distribution) is None


def _is_known(distribution: Distribution) -> bool:
    """Whether it has import names, or verifiably none (a bundle of requirements, a command)."""
    if _import_names(distribution):
        return True
    return bool(_files(distribution)) and _editable_folder(distribution) is None


def _is_own(distribution: Distribution, own: Container[str], home: Path | None) -> bool:
    folder = _editable_folder(distribution)
    if folder is not None and home is not None and folder.is_relative_to(home.resolve()):
        return True
    # All, not any: many a distribution brings a stray top-level package called "tests".
    names = _import_names(distribution)
    return bool(names) and all(name in own for name in names)


def _editable_folder(distribution: Distribution) -> Path | None:
    """Give the source folder of an editable install (PEP 610)."""
    try:
        origin = json.loads(_text(distribution, "direct_url.json"))
        if not origin["dir_info"]["editable"]:
            return None
        folder = unquote(urlsplit(origin["url"]).path)
        return Path(folder.lstrip("/") if os.name == "nt" else folder).resolve()
    except (ValueError, LookupError, TypeError, AttributeError, OSError, RecursionError):
        return None


def _work_tree() -> Path | None:
    try:
        here = Path.cwd()
    except OSError:
        return None
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), None)


def _files(distribution: Distribution) -> Sequence[str]:
    """Give the paths in RECORD, which lists itself: none at all means that there is no RECORD."""
    try:
        rows = list(csv.reader(_text(distribution, "RECORD").splitlines()))
    except csv.Error:
        return ()
    return [row[0].replace("\\", "/") for row in rows if row]


def _import_names(distribution: Distribution) -> Sequence[str]:
    """Give what can be imported of it: top-level modules, and below namespaces the packages."""
    files = [file for file in _files(distribution) if not _NO_MODULE.search(file)]
    paths = [path for path in map(_module_path, files) if path]
    packages = {path[:-1] for path in paths if path[-1] == "__init__"}
    cut = {_topmost(path, packages) for path in paths}
    names = {".".join(path) for path in cut if all(part.isidentifier() for part in path)}
    tops = {name.partition(".")[0] for name in names}
    declared = _text(distribution, "top_level.txt").replace("/", ".").split()
    return sorted(names.union(name for name in declared if name.partition(".")[0] not in tops))


def _module_path(file: str) -> tuple[str, ...]:
    suffix = next((suffix for suffix in _SUFFIXES if file.endswith(suffix)), None)
    return () if suffix is None else tuple(file.removesuffix(suffix).split("/"))


def _topmost(path: tuple[str, ...], packages: Container[tuple[str, ...]]) -> tuple[str, ...]:
    """Cut a module's path at the first regular package; above it are only namespaces."""
    prefixes = (path[:depth] for depth in range(1, len(path)))
    return next((prefix for prefix in prefixes if prefix in packages), path)
