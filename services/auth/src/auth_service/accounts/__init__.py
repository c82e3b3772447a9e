"""Registering, changing and deleting accounts, for their owners and for administrators."""
