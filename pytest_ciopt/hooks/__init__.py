"""Adapters to pytest: the only rooms beside `plugin` that import it.

From here on our modules are loaded as Python compiled them. pytest takes all modules of a plugin to
contain assertions for tests, which it rewrites; ours have none, and what an installation compiled
would be of no use. In a new environment, as most CI jobs have, or where no bytecode is written,
compiling all of them again takes longer than deciding.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType


class AsCompiled(MetaPathFinder):
    """Finds the modules of this package, before pytest's own finder does."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """None for any other module: whoever comes next is asked."""
        if not fullname.startswith("pytest_ciopt."):
            return None
        return PathFinder.find_spec(fullname, path, target)


sys.meta_path.insert(0, AsCompiled())
