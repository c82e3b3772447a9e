"""Counts what each kind of request costs in statements, commits, commands and calls, on however busy a machine."""
