"""The statements of the auth service: one function, one statement."""
