"""Signed tokens (JWT, Ed25519) of services and of users, and the public keys that check them."""
