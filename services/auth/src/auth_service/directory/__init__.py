"""The accounts' rows and names, and how to look them up."""
