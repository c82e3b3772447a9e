"""The system with a million rows, by `make scale`: how fast its sweeps empty it, and what others notice meanwhile."""
