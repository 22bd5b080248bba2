"""Results in the files of other tools, as records of ours."""
