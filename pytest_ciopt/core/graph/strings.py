"""Strings of a Python source that name modules or scripts: "pkg.settings", "scripts/run.py".

A string may name a package for somebody to load whatever lies in it ("shop.spiders"), and a module
from where it stands (".routes"), as `importlib` takes it.

The second half of a scan (see `core/graph/scanner.py`). Pure.
"""

import re
import unicodedata

_TAIL = re.compile(rb"\.(?:[\w\x80-\xff]++(?::[\w.\x80-\xff]++)?['\"]|[{%'\"])")
_OBJECT = re.compile(rb":[A-Za-z_][\w.]*+['\"]")
_MODULE = re.compile(rb"['\"]([A-Za-z_\x80-\xff][\w\x80-\xff]*+)\Z")
_DOTTED = re.compile(rb"[A-Za-z_\x80-\xff][\w\x80-\xff]*(?:\.[A-Za-z_\x80-\xff][\w\x80-\xff]*)+")
_RELATIVE = re.compile(
    rb"(\.+)([A-Za-z_\x80-\xff][\w\x80-\xff]*(?:\.[A-Za-z_\x80-\xff][\w\x80-\xff]*)*)"
)
_NO_PACKAGE = (
    *(b"getLogger(", b"logger=", b"logger_name="),
    *(b"import_module(", b"importorskip(", b"__import__(", b"patch("),
)
"""Before the name of a logger, which is mostly that of a module and loads nothing; and before that
of one module."""
_LOADS_BELOW = re.compile(rb"(?:(\.scan)|_modules\w*|autodiscover\w*)\s*\(|[A-Z]_MODULES?\s*=(?!=)")
"""`config.scan()` of Pyramid, `find_modules()` of Werkzeug, `walk_modules()` and `SPIDER_MODULES`
of Scrapy, `autodiscover_tasks()` of Celery, and what others call so: a whole package is loaded."""
_LOADS_BELOW_WORDS = (b".scan(", b"_modules", b"autodiscover", b"_MODULE")
_PACKAGE = re.compile(rb"[A-Za-z_\x80-\xff][\w.\x80-\xff]*")
_QUOTES = re.compile(rb"['\"]")
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


def add_strings(found: set[str], source: bytes, folder: str) -> None:
    """Adds dotted names, prefixes of computed names ("pkg.plugins.%s") and scripts, as they are
    named in a file of `folder`."""
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
            elif (relative := _RELATIVE.fullmatch(text[:-1])) is not None:
                found.add("*" + located(folder, len(relative[1]), text_of(relative[2])))
        elif text.endswith(b".py"):
            if text.rpartition(b"/")[2] not in _COMMON_SCRIPTS:
                script = _COMPUTED_FOLDER.sub(b"", text)
                found.add("=" + text_of(script).lstrip("./"))
        elif b" " not in text and _DOTTED.fullmatch(text := text.partition(b":")[0]):
            name = text_of(text)
            found.add(_ambiguous(name))
            if _may_be_package(name) and not source.endswith(_NO_PACKAGE, 0, quote):
                found.add("*" + name)
        elif (relative := _RELATIVE.fullmatch(text.partition(b":")[0])) is not None:
            place = located(folder, len(relative[1]), text_of(relative[2]))
            found.add(place)
            if not source.endswith(_NO_PACKAGE, 0, quote):
                found.add("*" + place)


def add_loaded_below(found: set[str], source: bytes) -> bool:
    """Adds the packages of which everything is loaded by a function or setting known for that.
    Whether it is the package of the source itself, too, or one that it has imported from there."""
    own = False
    if not any(word in source for word in _LOADS_BELOW_WORDS):
        return own
    for match in _LOADS_BELOW.finditer(source):
        if match[1] is not None and b"config" not in source and b"venusian" not in source:
            continue  # of Redis, say
        line = source[match.end() : match.end() + _REACH].partition(b"\n")[0]
        found.update("*" + text_of(name).rstrip(".") for name in _PACKAGE.findall(line))
        own |= match[1] is not None and _QUOTES.search(line) is None
    return own


def _may_be_package(name: str) -> bool:
    """Whether all of a package may be meant, and no class."""
    return not name.rpartition(".")[2][:1].isupper()


def located(folder: str, dots: int, module: str) -> str:
    """A relative import as a place: `..b.c` in src/pkg/sub is /src/pkg/b/c."""
    parts = folder.split("/") if folder else []
    if dots > 1:
        parts = parts[: max(0, len(parts) - dots + 1)]
    if module:
        parts += module.split(".")
    return "/" + "/".join(parts) if parts else ""


def _ambiguous(name: str) -> str:
    """`data.json` may be a module as well as a file: it is marked."""
    base, _, suffix = name.rpartition(".")
    return "~" + name if suffix in _FILE_SUFFIXES and "." not in base else name
