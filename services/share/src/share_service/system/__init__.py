"""The state of the whole system, for administrators."""
