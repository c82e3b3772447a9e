"""The protocols of other systems: a module or package for each, which parses its wire and calls the slices."""
