"""Signed tokens (JWT, Ed25519): of services, of people and their programs, and the public keys that check both."""
