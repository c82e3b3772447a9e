"""The foreign protocols that accounts are reached by."""
