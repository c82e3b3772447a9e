"""Signing in and out: passwords, sessions and their tokens."""
