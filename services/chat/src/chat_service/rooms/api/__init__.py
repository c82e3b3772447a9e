"""The native API of rooms, their members and invitations."""
