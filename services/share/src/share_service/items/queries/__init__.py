"""The statements about items: one function, one statement."""
