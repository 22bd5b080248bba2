"""What is remembered of a run, as values and as lines of text. Pure."""
