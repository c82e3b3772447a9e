"""Connections to URLs that users supply: the client, the addresses it may connect to, and the URLs it accepts."""
