"""Mirrors on servers that people really have, each copied to and then broken on purpose."""
