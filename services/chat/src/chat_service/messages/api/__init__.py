"""The native API of messages."""
