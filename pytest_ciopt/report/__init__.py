"""Turns values into lines and documents. Prints and writes nothing."""
