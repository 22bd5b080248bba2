"""The corpus: named source distributions from a package index, as git repositories.

Downloads what the cache folder lacks from the index that pip uses (`PIP_INDEX_URL`, else PyPI),
checks the hashes that the index gives, unpacks, and makes one git repository per size. Nothing
that was downloaded is executed. Delete the cache folder to start afresh.
"""

import hashlib
import json
import os
import shutil
import ssl
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin
from urllib.request import Request, urlopen

DEFAULT_INDEX = "https://pypi.org/simple"
_JSON = "application/vnd.pypi.simple.v1+json"
_PAUSE = 180
"""Seconds after which a silent server counts as gone."""


@dataclass(frozen=True, slots=True)
class Package:
    """One source distribution and the folder in it that its import packages lie in."""

    name: str
    version: str
    root: str = ""
    hub: str = ""
    """A module that much of the package imports, to be edited; relative to the distribution."""
    imports: str = ""
    """Its import package, where grimp can be asked for it."""

    @property
    def folder(self) -> str:
        """The name of its folder in a repository."""
        return f"{self.name}-{self.version}"


_DJANGO = Package("Django", "5.1.4", hub="django/db/models/query.py", imports="django")
_NETWORKX = Package("networkx", "3.4.2", hub="networkx/classes/graph.py", imports="networkx")
_PANDAS = Package("pandas", "2.2.3", hub="pandas/core/frame.py", imports="pandas")
_SALT = Package("salt", "3007.1", hub="salt/utils/data.py", imports="salt")
_SYMPY = Package("sympy", "1.13.3", hub="sympy/core/basic.py", imports="sympy")
_TEN_THOUSAND = (_NETWORKX, _DJANGO, _PANDAS, _SALT, _SYMPY)
_MORE = (
    Package("ansible-core", "2.17.6", root="lib"),
    Package("astropy", "6.1.7"),
    Package("matplotlib", "3.9.3", root="lib"),
    Package("scikit-learn", "1.5.2"),
    Package("scipy", "1.14.1"),
    Package("sqlalchemy", "2.0.36", root="lib"),
    Package("statsmodels", "0.14.4"),
    Package("transformers", "4.46.3", root="src"),
    Package("twisted", "24.10.0", root="src"),
)
SIZES: dict[str, tuple[Package, ...]] = {
    "700": (_NETWORKX,),
    "1600": (_SYMPY,),
    "4300": (_DJANGO, _SYMPY),
    "10000": _TEN_THOUSAND,
    "20000": (*_TEN_THOUSAND, *_MORE),
}
"""About how many Python files, and what of. The hub of the first package is what is edited."""


class NotFound(Exception):
    """The index has no such source distribution."""


def repository(size: str, cache: Path) -> Path:
    """The git repository of a size, made when it is not there; everything in it is committed."""
    place = cache / "repositories" / size
    if (place / ".git" / "complete").exists():
        return place
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for package in SIZES[size]:
        # Hard links: an edit has to replace a file, as most editors do, and not to write into it.
        shutil.copytree(
            unpacked(package, cache),
            place / package.folder,
            symlinks=True,
            copy_function=os.link,
        )
    committed(place, "corpus")
    (place / ".git" / "complete").touch()
    return place


def committed(place: Path, message: str) -> None:
    """Commits all files of a folder, whatever the .gitignore files in it say."""
    who = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost")
    calm = ("-c", "core.autocrlf=false", "-c", "gc.auto=0", "-c", "init.defaultBranch=main")
    for words in (("init", "-q"), ("add", "-A", "-f"), ("commit", "-q", "-m", message)):
        subprocess.run(["git", *who, *calm, *words], cwd=place, check=True)


def unpacked(package: Package, cache: Path) -> Path:
    """The folder of an unpacked distribution."""
    target = cache / "unpacked" / package.folder
    if target.exists():
        return target
    archive = downloaded(package.name, package.version, cache)
    scratch = target.with_name(target.name + ".part")
    shutil.rmtree(scratch, ignore_errors=True)
    with tarfile.open(archive) as stream:
        stream.extractall(scratch, filter="data")
    (inner,) = scratch.iterdir()
    inner.rename(target)
    scratch.rmdir()
    return target


def downloaded(name: str, version: str, cache: Path) -> Path:
    """The archive of a source distribution, fetched when the cache lacks it.

    Raises: NotFound, and OSError when the index cannot be reached or the content is damaged.
    """
    folder = cache / "archives"
    folder.mkdir(parents=True, exist_ok=True)
    known = folder / f"{_normal(name)}-{version}.tar.gz"
    if known.exists():
        return known
    print(f"fetching {name} {version}", file=sys.stderr)
    address, digest = _offer(name, version)
    content = _get(address, "*/*")
    if hashlib.sha256(content).hexdigest() != digest:
        raise OSError(f"{name} {version} arrived damaged: its hash is not the one of the index")
    part = known.with_suffix(".part")
    part.write_bytes(content)
    part.rename(known)
    return known


def _offer(name: str, version: str) -> tuple[str, str]:
    """Address and SHA-256 of the source distribution."""
    index = os.environ.get("PIP_INDEX_URL", DEFAULT_INDEX).rstrip("/")
    page = f"{index}/{_normal(name)}/"
    wanted = f"{_normal(name)}-{version}.tar.gz"
    for file in json.loads(_get(page, _JSON))["files"]:
        if _normal(file["filename"]) == _normal(wanted):
            return urljoin(page, file["url"]), file["hashes"]["sha256"]
    raise NotFound(f"the index has no {wanted}")


def _get(address: str, kind: str) -> bytes:
    context = ssl.create_default_context(cafile=os.environ.get("PIP_CERT"))
    request = Request(address, headers={"Accept": kind})
    with urlopen(request, timeout=_PAUSE, context=context) as answer:
        content: bytes = answer.read()
        return content


def _normal(name: str) -> str:
    return name.lower().replace("_", "-")


def python_files(place: Path) -> int:
    """How many Python files a repository tracks."""
    answer = subprocess.run(
        ["git", "ls-files", "-z", "--", "*.py"], cwd=place, check=True, capture_output=True
    )
    return answer.stdout.count(b"\0")


def roots(packages: Sequence[Package]) -> list[str]:
    """Folders of a repository that import packages lie in."""
    return [f"{p.folder}/{p.root}" if p.root else p.folder for p in packages]
