"""Adapters to pytest: the only rooms beside `plugin` that import it."""
