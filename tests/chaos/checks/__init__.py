"""The checks of what design.md promises against the ledger, in the order in which they can be made."""
