"""The folder `.ciopt/segments/`: one file a run, written as the run goes, never altered later."""
