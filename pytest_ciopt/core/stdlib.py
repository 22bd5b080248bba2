"""Names of the standard library. Pure."""

import sys

STDLIB = frozenset(sys.stdlib_module_names)
LOADED = frozenset(
    """abc argparse ast atexit builtins codecs collections contextlib copy dataclasses
    datetime decimal dis enum errno fnmatch functools gc gettext glob heapq html
    importlib inspect io itertools json keyword linecache locale logging marshal math
    numbers operator os pathlib platform pprint random re reprlib selectors shlex shutil
    signal stat string struct subprocess sys tempfile textwrap threading time token tokenize
    traceback types typing unicodedata uuid warnings weakref zipfile zlib""".split()
)
"""Of these what pytest itself has loaded before any file of a project runs."""
