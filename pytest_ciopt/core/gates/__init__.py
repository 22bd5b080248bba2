"""Gates: rules that a run passes, fails, or says too little about. Pure."""
