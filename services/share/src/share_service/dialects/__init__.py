"""Foreign protocols: each translates between its wire and the use cases of the slices."""
