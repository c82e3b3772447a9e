"""How the system is run: containers (`compose/`), the gateway (`gateway/`), all on one machine (`local/`)."""
