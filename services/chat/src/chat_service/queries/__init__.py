"""The statements of the chat service: one function, one statement."""
