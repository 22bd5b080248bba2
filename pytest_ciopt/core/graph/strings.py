"""Strings of a Python source that name modules or scripts: "pkg.settings", "scripts/run.py".

The second half of a scan (see `core/graph/scanner.py`). Pure.
"""

import re
import unicodedata

_TAIL = re.compile(rb"\.(?:[\w\x80-\xff]++(?::[\w.\x80-\xff]++)?['\"]|[{%'\"])")
_OBJECT = re.compile(rb":[A-Za-z_][\w.]*+['\"]")
_MODULE = re.compile(rb"['\"]([A-Za-z_\x80-\xff][\w\x80-\xff]*+)\Z")
_DOTTED = re.compile(rb"[A-Za-z_\x80-\xff][\w\x80-\xff]*(?:\.[A-Za-z_\x80-\xff][\w\x80-\xff]*)+")
_PREFIX = re.compile(rb"(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*\.)+")
_COMPUTED_FOLDER = re.compile(rb".*(?:\}|%[a-z])", re.DOTALL)
_REACH = 200
"""Longest string looked at, in bytes; module paths are far shorter."""

_FILE_SUFFIXES = frozenset(
    (
        *("cfg", "conf", "config", "css", "csv", "db", "gz", "htm", "html", "in", "ini", "j2"),
        *("jinja", "jinja2", "jpg", "js", "json", "lock", "log", "md", "out", "pdf", "png", "pyc"),
        *(
            "rst",
            "sh",
            "so",
            "sql",
            "svg",
            "tar",
            "tex",
            "toml",
            "txt",
            "xml",
            "yaml",
            "yml",
            "zip",
        ),
    )
)
_COMMON_SCRIPTS = frozenset((b"__init__.py", b"conftest.py", b"setup.py", b"__main__.py"))


def text_of(name: bytes) -> str:
    """Identifiers as Python compares them; undecodable bytes become surrogates."""
    if name.isascii():
        return name.decode("ascii")
    return unicodedata.normalize("NFKC", name.decode("utf-8", "surrogateescape"))


def add_strings(found: set[str], source: bytes) -> None:
    """Adds dotted names, prefixes of computed names ("pkg.plugins.%s") and scripts."""
    rfind = source.rfind
    for match in _OBJECT.finditer(source):  # "app:create"; with a dot in the module it has a tail
        colon = match.start()
        module = _MODULE.search(source[max(0, colon - _REACH) : colon])
        if module is not None:
            found.add(text_of(module[1]))
    for match in _TAIL.finditer(source):
        dot, end = match.span()
        end -= 1
        floor = dot - _REACH if dot > _REACH else 0
        quote = rfind(b'"', floor, dot)
        quote = max(quote, rfind(b"'", max(quote, floor), dot))
        if quote < 0:
            continue
        text = source[quote + 1 : end]
        if end == dot + 1:
            if _PREFIX.fullmatch(text):
                prefix = text_of(text[:-1])
                found.update((prefix, "*" + prefix))
        elif text.endswith(b".py"):
            if text.rpartition(b"/")[2] not in _COMMON_SCRIPTS:
                script = _COMPUTED_FOLDER.sub(b"", text)
                found.add("=" + text_of(script).lstrip("./"))
        elif b" " not in text and _DOTTED.fullmatch(text := text.partition(b":")[0]):
            found.add(_ambiguous(text_of(text)))


def _ambiguous(name: str) -> str:
    """`data.json` may be a module as well as a file: it is marked."""
    base, _, suffix = name.rpartition(".")
    return "~" + name if suffix in _FILE_SUFFIXES and "." not in base else name
