"""Which files are the repository's own: below its top, and in no environment within it."""

import os

_FOREIGN = frozenset((".git", ".ciopt", "__pycache__", "site-packages", "dist-packages"))
_ENVIRONMENT = ("pyvenv.cfg", "conda-meta")
"""What lies at the top of an environment (venv, conda), which may be inside the repository."""


class Places:
    """Finds the repository-relative POSIX paths of files."""

    def __init__(self, top: str) -> None:
        self.top = top
        # Both spellings count, for paths go by the one that the process was started with.
        self.tops = tuple({os.path.join(one, "") for one in (top, os.path.realpath(top))})
        self.follows_links = False
        """Whether links from outside may lead to files of ours."""
        self._folders: dict[str, bool] = {"": True}

    def find(self, path: str) -> str | None:
        """The place of a file or folder, "" for the top itself; None for what is not ours."""
        if os.path.isabs(path) and not path.startswith(self.tops) and ".." not in path:
            if not self.follows_links:
                return "" if os.path.join(path, "") in self.tops else None
            path = os.path.realpath(path)
        # What lies above a link is not what lies above it in its name.
        absolute = os.path.realpath(path) if os.pardir in path else os.path.abspath(path)
        for top in self.tops:
            if absolute.startswith(top):
                place = absolute[len(top) :].replace(os.sep, "/")
                folder, _, name = place.rpartition("/")
                return place if name not in _FOREIGN and self._is_ours(folder) else None
        return "" if os.path.join(absolute, "") in self.tops else None

    def are_reached_from(self, path: str) -> bool:
        """Whether a path is a folder that lies in the repository, or in which that lies."""
        if not os.path.isdir(path):
            return False
        around = os.path.join(os.path.realpath(path), "")
        return self.find(path) is not None or any(top.startswith(around) for top in self.tops)

    def _is_ours(self, folder: str) -> bool:
        known = self._folders.get(folder)
        if known is None:
            above, _, name = folder.rpartition("/")
            known = name not in _FOREIGN and self._is_ours(above) and not self._is_foreign(folder)
            self._folders[folder] = known
        return known

    def _is_foreign(self, folder: str) -> bool:
        return any(os.path.exists(os.path.join(self.top, folder, name)) for name in _ENVIRONMENT)
