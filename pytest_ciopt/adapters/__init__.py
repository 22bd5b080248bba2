"""All IO: each module is one outside thing."""
