"""Foreign protocols, one package each. Nothing else knows them."""
