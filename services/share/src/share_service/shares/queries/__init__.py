"""The statements about shares: one function, one statement."""
