"""Sphinx configuration. The build reads no network: there is no intersphinx on purpose."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "pytest-ciopt"
author = copyright = "The pytest-ciopt developers"
release = version = version_of("pytest-ciopt")

extensions = ["generated", "myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

# Docstrings mark code with single backquotes.
default_role = "code"
autodoc_typehints = "signature"
autodoc_member_order = "bysource"

# The build is nitpicky; without intersphinx only references into our own package can be held to it.
nitpick_ignore_regex = [("py:.*", r"(?!pytest_ciopt\.).*")]

html_theme = "furo"
html_title = "pytest-ciopt"
html_copy_source = False
