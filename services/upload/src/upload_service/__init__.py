"""The upload service: everything that touches bytes.

- `content/`: upload sessions, their parts, blobs, files and their downloads
- `mirrors/`: destinations of copies, the copies, and the drivers that write and read them
- `quotas/`: how much each owner's files take, and how much they may take
- `telling/`: events of which the share service is told, for webhooks and notices
- `fetches/`: files fetched from URLs
- `archives/`: several files as one zip file, which is made while it is sent
- `items/`: the progress of uploads that shares wait for
- `accounts/`: erasing what belonged to a deleted account
- `administration/`: everybody's files, fetches and mirrors, for administrators
- `dialects/`: uploads by the foreign protocols, and by those that several kinds of clients speak

Imports go `dialects → items → archives → fetches → mirrors → content`. `accounts` and `administration` stand beside the
dialects, `quotas` and `telling` beside the mirrors.

PostgreSQL's clock judges what has expired: statements compare with `now()`. The process's clock only says when
something new is to expire, and how long a fetch may still take.
"""
