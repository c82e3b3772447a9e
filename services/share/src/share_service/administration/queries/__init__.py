"""The statements of administrators: one function, one statement."""
