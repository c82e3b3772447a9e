"""The use cases of the chat service. They open their own units of work (ADR 1), as passwords are hashed and Valkey is
told between statements.

- `rooms`: make, list, see, change, close · `joining`: join, leave, invite · `members`: list, remove, mute, roles, bans
- `messages`: post, edit, delete, read · `files`: post a file · `inbox`: direct messages
- `erasing`, `purging`: what goes when an account or a room is gone
- `room_states`, `changes`, `message_lists`, `room_passwords`: what these stand on
"""
