"""Measures benchmarks of two trees in fresh processes that alternate."""
