"""Messages of rooms: posting, reading, editing and deleting them, and posting files."""
