"""Continuous integration of Python projects, fast without being blind: a pytest plugin suite."""

__version__ = "0.1.0"
