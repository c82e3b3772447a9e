"""Rooms: their terms, their members, and the ways in and out of them."""
