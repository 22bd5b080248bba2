"""Coverage of a whole run, put together from what single tests covered. Pure."""
