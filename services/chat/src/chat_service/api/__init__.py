"""The native API of the chat service, and what the other services ask of it."""
