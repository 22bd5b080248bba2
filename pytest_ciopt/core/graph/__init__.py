"""What Python files load, and what a change reaches through that. Pure."""
