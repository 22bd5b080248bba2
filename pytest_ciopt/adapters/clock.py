"""The clocks: the moment for what is stored, elapsed time for what is measured."""

from time import perf_counter as elapsed
from time import time as now

__all__ = ["elapsed", "now"]
