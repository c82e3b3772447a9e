"""Ways to run the system: in containers (`compose/`), or embedded (`local/`), both behind one gateway (`gateway/`)."""
