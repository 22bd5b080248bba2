"""Reads from a Python source what it can load, without parsing it whole.

A scan is a handful of searches for literal text, which the `re` engine and `bytes` do at memory
speed; parsing the same files with `ast` takes some twenty times longer. It errs on one side only:
a name too many (an import statement inside a string) costs precision, a name too few would cost a
test. `tests/property` holds it to that against `ast`.

What a scan returns are *names* (see `core/naming.py`):

- `pkg.mod.attr`: an absolute import; whether `attr` is a module is left to the reader of the index,
- `/src/pkg/mod/attr`: a relative import, resolved against the folder of the file,
- `*pkg.plugins`, `*/src/pkg`: a computed import, or a string that names a package for somebody:
  any module below can be loaded,
- `=scripts/run.py`: a script named in a string,
- `~pkg.json`: a string that may as well name a file: it counts only where it is a module,
- `>pkg.mod`: imported by a doctest,
- `$shop-report`: a string that may start a command of the project,
- `#hooks`, `#always`, …: a `Flag`, a property of the whole file.

This module does no IO and knows nothing of the other files but the commands they install.
"""

import re
from enum import StrEnum
from functools import lru_cache

from pytest_ciopt.core.django import APPLICATIONS, loaded
from pytest_ciopt.core.graph.commands import NO_COMMANDS, Names
from pytest_ciopt.core.graph.strings import add_loaded_below, add_strings, located, text_of
from pytest_ciopt.core.stdlib import STDLIB


class Flag(StrEnum):
    """Properties of a whole file that decide something later, stored as names."""

    HOOKS = "#hooks"
    """Mentions a `pytest_ciopt_*` hook: conftests must be loaded before anything is decided."""
    ALWAYS = "#always"
    """Mentions the `ciopt_always` marker: some tests may have to run whatever changed."""
    DYNAMIC_FIXTURES = "#dynamic-fixtures"
    """Asks for fixtures by a computed name."""
    ENTRY_POINTS = "#entry-points"
    """Loads whatever installed projects register as entry points."""
    COLLECTS = "#collects"
    """Implements `pytest_collect_file`: may collect files that are no test modules."""
    PLUGINS = "#plugins"
    """Names plugins in `pytest_plugins`."""
    PATHS = "#paths"
    """Mentions the search path of this Python, or of one that it starts."""
    COMPUTED_PLUGINS = "#computed-plugins"
    """Computes the names in `pytest_plugins`."""
    LOOKS_INSIDE = "#looks-inside"
    """Looks into test modules or classes from outside (`request.module`, `item.cls`)."""
    LOADS_BELOW = "#loads-below"
    """Has something installed load all of its own package."""
    COMPUTED = "#computed"
    """Imports a module whose name it computes."""


_PYTEST_FLAGS = (
    (b"pytest_ciopt_", Flag.HOOKS),
    (b"ciopt_always", Flag.ALWAYS),
    (b"getfixturevalue", Flag.DYNAMIC_FIXTURES),
    (b"pytest_collect_file", Flag.COLLECTS),
    (b"pytest_plugins", Flag.PLUGINS),
)
_METADATA = frozenset(("importlib", "importlib_metadata", "pkg_resources"))
"""Modules that read entry points (`importlib` stands for `importlib.metadata`)."""

_IMPORT = re.compile(rb"import(?:(?![\w\x80-\xff])|(?=(_module\b|__\s*\(|orskip\b)))")
_LIST = re.compile(rb"(?:[ \t\f]++|\\\n)*+(\((?:[^)#]++|#[^\n]*+)*+\)|(?:[^\n#;\\]++|\\\n)*+)")
_LINE = re.compile(rb"((?:[^\n#;\\]++|\\\n)*+)")
_FROM = re.compile(rb"from(?![\w\x80-\xff])[ \t\f]*([. \t\f]*)([\w\x80-\xff. \t\f]*)")
_ARGUMENTS = re.compile(rb"(?:_module|__|orskip)\s*+\(((?:[^()#]++|\([^()]*+\)|#[^\n]*+){0,60}+)")
_FIRST = re.compile(
    rb"\s*(?:(?:mod)?name\s*=\s*|package\s*=\s*)?[rRuU]?(?:'[^']*'|\"[^\"]*\")\s*(?:,|\Z)"
)
_LOADED = re.compile(rb"\s*(?:(?:[\w.]+|type\(\w+\))\.__module__|__name__|__package__)\s*,?\s*")
"""Arguments that name the module of a thing that exists, so that it is loaded."""
_ARGUMENT = re.compile(rb"['\"]([\w.\x80-\xff]+)['\"]")
_QUOTE = re.compile(rb"['\"]")
_COMMENT = re.compile(rb"#[^\n]*")
_SPACED_DOT = re.compile(rb"\s*\.\s*")
_WALKS = re.compile(rb"iter_modules|walk_packages|get_importer|iter_importers|resolve_name")
_LOOKS_INSIDE = re.compile(rb"\.(?:module|instance|cls|obj|getparent|modules)\b")
"""The last one is `sys.modules`; a pattern that begins with one literal is by far the fastest."""
_RUN = re.compile(rb"run_module\s*\(\s*(?:mod_name\s*=\s*)?(?:['\"]([\w.]+)['\"])?")
_DASH_M = re.compile(rb"-m['\",\s]+([A-Za-z_][\w.]*)")
_PLUGINS = re.compile(rb"pytest_plugins\b(.{0,1000})", re.DOTALL)
_QUOTED = re.compile(rb"['\"]([A-Za-z_\x80-\xff][\w.\x80-\xff]*)['\"]")
_TYPE_CHECKING = re.compile(
    rb"^([ \t]*)if[ \t]+(?:\w+\.)?TYPE_CHECKING[ \t]*:[ \t]*(?:#[^\n]*|(?:from|import)\b[^\n]*)?$",
    re.MULTILINE,
)
_TYPE_CHECKING_SET = re.compile(
    rb"\bTYPE_CHECKING\b[^=\n]{0,80}+=[ \t]*+(?!(?:False|0)[ \t]*(?:#|$))", re.MULTILINE
)
_HOOK = re.compile(rb"^def pytest_ciopt_\w+\([^\n]*\n(?:[ \t][^\n]*\n|\n)*", re.MULTILINE)
_CODING = re.compile(rb"\A(?:[^\n]*\n)?[ \t\f]*#[^\n]*?coding[:=][ \t]*([-\w.]+)")
_BACKSLASH = ord("\\")
_HEAD_REACH = 400
"""Bytes looked at before the word `import`: `from` and a dotted name fit many times."""
_CALL_REACH = 500
"""Bytes looked at of the arguments of a call."""
_LIST_REACH = 60_000
"""Bytes looked at behind it: a thousand names fit many times."""

_PATHS = (b"syspath", b"addsitedir", b"PYTHONPATH")
"""pytest's `monkeypatch.syspath_prepend` and `pytester.syspathinsert`, `site.addsitedir`."""


def kept(name: str) -> str:
    """What the index knows of a name: of the standard library only the top."""
    top = name.partition(".")[0]
    return top if top in STDLIB else name


def scan(source: bytes, folder: str, commands: Names = NO_COMMANDS) -> frozenset[str]:
    """Names that a file in `folder` (repository-relative POSIX path, "" is the top) can load.

    Linear in the length of `source`. Never raises: what is no Python has no names or too many.
    """
    whole = _plain(source)
    source = without_hooks(whole)
    found: set[str] = set()
    _add_imports(found, source, folder)
    add_strings(found, source, folder)
    if add_loaded_below(found, source) and folder:
        found.update((f"*/{folder}", Flag.LOADS_BELOW))
    found |= commands.within(source)
    for module in _DASH_M.findall(source):
        found.add(text_of(module.rstrip(b".")) + ".__main__")
    # Of the standard library only the top names are kept: nobody asks for more.
    found = set(map(kept, found))
    for module in _RUN.findall(source) if "runpy" in found else ():
        if module:
            found.update((text_of(module), text_of(module) + ".__main__"))
        else:
            _add_computed(found, folder)
    if whole is not source or b"pytest" in source or b"getfixturevalue" in source:
        found.update(flag for text, flag in _PYTEST_FLAGS if text in whole)
        if Flag.PLUGINS in found:
            if any(b" for " in listing.partition(b"\n")[0] for listing in _PLUGINS.findall(whole)):
                found.update((Flag.COMPUTED, Flag.COMPUTED_PLUGINS))
            plugins = plugin_names(source)
            found.update(plugins)
            found.difference_update("*" + name for name in plugins)  # one module each
        if _LOOKS_INSIDE.search(source):
            found.add(Flag.LOOKS_INSIDE)
    if ("sys" in found and b"sys.path" in source) or any(one in source for one in _PATHS):
        found.add(Flag.PATHS)
    if not found.isdisjoint(_METADATA) and b"entry_points" in source:
        found.add(Flag.ENTRY_POINTS)
    if folder and (("pkgutil" in found and _WALKS.search(source)) or _is_lazy(source)):
        found.add(f"*/{folder}")
    if APPLICATIONS in source:
        found.update(map(text_of, loaded(source)))
    if b"\0" in source:  # Python does not load it, and no module is called so
        found = {name for name in found if "\0" not in name}
    found.discard("")
    return frozenset(found)


def _plain(source: bytes) -> bytes:
    """The source in UTF-8, without a byte order mark, its lines ended by newlines."""
    source = source.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in source:
        source = source.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not source.isascii() and (coding := _CODING.match(source)) is not None:
        try:
            return source.decode(coding[1].decode("ascii")).encode("utf-8", "surrogatepass")
        except (LookupError, ValueError):
            return source
    return source


def without_hooks(source: bytes) -> bytes:
    """The source without our hooks: files that they name are named to us, not loaded."""
    return _HOOK.sub(b"", source) if b"pytest_ciopt_" in source else source


def plugin_names(source: bytes) -> set[str]:
    """Names of modules in strings that follow the word `pytest_plugins`."""
    listings = _PLUGINS.findall(source)
    return {text_of(name) for listing in listings for name in _QUOTED.findall(listing)}


def _is_lazy(source: bytes) -> bool:
    """Whether a module-level `__getattr__` may load what lies beside the module."""
    return any(
        b"\n" + start in source or source.startswith(start)
        for start in (b"def __getattr__", b"__getattr__")
    )


def _add_imports(found: set[str], source: bytes, folder: str) -> None:
    spans = iter(_type_checking_spans(source) if b"TYPE_CHECKING" in source else ())
    low, high = next(spans, (len(source), 0))
    rfind = source.rfind
    last = rfind(b")")
    for match in _IMPORT.finditer(source):
        start, end = match.span()
        while start >= high > low:
            low, high = next(spans, (len(source), 0))
        if low <= start < high:
            continue
        if match[1] is not None:
            _add_call(found, source, end, folder)
            continue
        floor = start - _HEAD_REACH if start > _HEAD_REACH else 0
        line = rfind(b"\n", floor, start)
        head = source[(line if line >= 0 else floor - 1) + 1 : start].strip()
        statements = _statements(head)
        if line > 0 and source[line - 1] == _BACKSLASH:
            before = source[floor:start]
            statements += _statements(_joined_lines(before, over_comments=False))
            if b"#" in before:
                statements += _statements(_joined_lines(before, over_comments=True))
        stop = end + _LIST_REACH
        if statements and _QUOTE.search(head, max(head.rfind(b";"), head.rfind(b":")) + 1):
            # A statement in a string ends with it.
            closing = _QUOTE.search(source, end, stop)
            stop = closing.start() if closing else stop
        for mark, dots, module in statements:
            pattern = _LIST if end < last else _LINE  # no bracket is closed behind the last one
            listed = pattern.match(source, end, stop)
            _add_names(found, mark, dots, module, listed[1] if listed else b"", folder)


def _joined_lines(before: bytes, over_comments: bool) -> bytes:
    """What stands at the end of `before` on its logical line, backslashes resolved.

    A comment does not go on behind its backslash, but who knows whether a `#` begins one.
    """
    begin = before.rfind(b"\n") + 1
    while before[begin - 2 : begin] == b"\\\n":
        previous = before.rfind(b"\n", 0, begin - 1) + 1
        if b"#" in before[previous:begin] and not over_comments:
            break
        begin = previous
    return before[begin:].replace(b"\\\n", b" ").strip()


@lru_cache(4096)
def _statements(head: bytes) -> tuple[tuple[str, int, str], ...]:
    """(mark, dots, module) of what may stand before the word `import`; none for prose.

    Cached, for most statements of a project begin alike.
    """
    if b">>>" in head:
        doctest = _opened(">", head.rpartition(b">>>")[2])
        begins = head.lstrip(b"rR'\"").startswith(b">>>")
        return doctest if begins else (*doctest, *_opened("", head))  # or a string before it
    if head.startswith(b"..."):  # a doctest goes on, or an ellipsis
        return (*_opened(">", head[3:]), *_opened("", head))
    return _opened("", head)


def _opened(mark: str, head: bytes) -> tuple[tuple[str, int, str], ...]:
    head = head.strip()
    if b";" in head or b":" in head:
        head = max(head.rpartition(b";")[2], head.rpartition(b":")[2], key=lambda h: -len(h))
        head = head.strip()
    if head in (b"", b"\\"):
        return ((mark, 0, ""),)
    match = _FROM.fullmatch(head)
    if match is None:
        quote = max(head.rfind(b"'"), head.rfind(b'"'))
        # Either a string of code on this line, "import a", or prose: "we import ..."
        return _opened(mark, head[quote + 1 :]) if quote >= 0 else ()
    return ((mark, match[1].count(b"."), text_of(b"".join(match[2].split()))),)


def _add_names(
    found: set[str], mark: str, dots: int, module: str, tail: bytes, folder: str
) -> None:
    names = _listed(tail)
    if dots:
        module = located(folder, dots, module)
    elif not module:
        found.update([mark + name for name in names])
        return
    prefix = f"{mark}{module}{'/' if dots else '.'}"
    attributes = [prefix + name for name in names if name != "*"]
    # `from a import *` and a statement cut short both load the module itself.
    found.update(attributes or [mark + module])


@lru_cache(4096)
def _listed(tail: bytes) -> tuple[str, ...]:
    """First words of a comma-separated list: `(a as b, c)` gives a and c."""
    if tail[:1] == b"(":
        tail = _COMMENT.sub(b"", tail[1:-1]).replace(b"...", b"")
    if b"\\" in tail:
        tail = tail.replace(b"\\\n", b" ")
    if b"." in tail:
        tail = _SPACED_DOT.sub(b".", tail)
    words = (item.split(None, 1) for item in text_of(tail).split(","))
    return tuple(word[0].strip("'\")]}") for word in words if word)


def _add_call(found: set[str], source: bytes, position: int, folder: str) -> None:
    """`import_module(...)`, `__import__(...)` and `importorskip(...)`."""
    match = _ARGUMENTS.match(source, position, position + _CALL_REACH)
    if match is None:
        return  # the function itself, imported or passed on
    arguments = _COMMENT.sub(b"", match[1])
    names = [text_of(name) for name in _ARGUMENT.findall(arguments)]
    closed = source.startswith(b")", match.end())
    if closed and _LOADED.fullmatch(arguments):
        return
    if not names or _FIRST.match(arguments) is None:
        _add_computed(found, folder)
    relative = [name for name in names if name.startswith(".")]
    absolute = [name for name in names if not name.startswith(".")]
    for name in relative:
        bare = name.lstrip(".")
        dots = len(name) - len(bare)
        found.update(_below(package, dots, bare) for package in absolute)
        if not absolute:
            found.add(located(folder, dots, bare))
    if absolute and not relative:
        first, *listed = absolute  # `__import__("a", fromlist=["b"])`, `"a" if x else "b"`
        found.update((*absolute, *(f"{first}.{name}" for name in listed)))


def _add_computed(found: set[str], folder: str) -> None:
    found.add(Flag.COMPUTED)
    if folder:
        found.add(f"*/{folder}")


def _below(package: str, dots: int, module: str) -> str:
    """`..mod` in the package a.b is a.mod."""
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - dots + 1], *([module] if module else [])])


def _type_checking_spans(source: bytes) -> tuple[tuple[int, int], ...]:
    """Ranges of `if TYPE_CHECKING:` blocks, which never run. `else:` branches stay outside."""
    if _TYPE_CHECKING_SET.search(source):
        return ()
    return tuple(
        (match.start(), _block_end(source, match.end(), len(match[1])))
        for match in _TYPE_CHECKING.finditer(source)
    )


def _block_end(source: bytes, position: int, indent: int) -> int:
    while 0 <= position < len(source):
        end = source.find(b"\n", position + 1)
        line = source[position + 1 : end if end >= 0 else len(source)]
        text = line.lstrip(b" \t")
        if b"\f" in line or b"'''" in line or b'"""' in line:
            return position  # who knows where the block ends
        if text.strip() and not text.startswith(b"#") and len(line) - len(text) <= indent:
            return position
        position = end
    return len(source)
