"""Foreign protocols, one module each. Nothing else knows of them."""
