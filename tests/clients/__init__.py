"""Clients that other people wrote, unmodified, against the running system."""
