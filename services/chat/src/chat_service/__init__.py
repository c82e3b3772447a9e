"""The chat service: rooms, their messages, and direct messages.

- `rooms/`: rooms, their members, joining, invitations, and clearing up after closed rooms
- `messages/`: posting, reading, editing and deleting messages; posting files
- `inbox/`: direct messages between two accounts
- `live/`: the events of rooms as they happen, over WebSockets and Server-Sent Events
- `dialects/mirage/`: all of this for Mirage's clients
- `streams/`: the messages and events of rooms in Valkey; the slices stand on it

Imports go `dialects → live → messages | inbox → rooms → streams`.

Two clocks judge expiry, and PostgreSQL's `now()` is neither of them: this process's clock (`common.clock`) for mutes,
invitations and the files of rooms; Valkey's for messages, whose ids are its times.
"""
