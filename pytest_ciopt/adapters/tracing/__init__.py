"""Sees what runs, what is read and what is started, while tests run; knows nothing of pytest."""
