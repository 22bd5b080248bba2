"""Which shard runs what: the work, its division, and the plan that keeps it. Pure."""
