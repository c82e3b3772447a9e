"""The upload service: everything that touches bytes.

- `content/`: upload sessions, their parts, blobs, files and their downloads
- `mirrors/`: destinations of copies, the copies, and the drivers that write and read them
- `fetches/`: files fetched from URLs
- `archives/`: several files as one zip file, which is made while it is sent
- `accounts/`: erasing what belonged to a deleted account
- `dialects/`: uploads by the foreign protocols

Imports go `dialects → archives → fetches → mirrors → content`, and `accounts` stands beside the dialects.

PostgreSQL's clock judges what has expired: statements compare with `now()`. The process's clock only says when
something new is to expire, and how long a fetch may still take.
"""
