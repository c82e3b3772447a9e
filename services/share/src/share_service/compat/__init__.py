"""Foreign protocols, one module each."""
