"""Sending one file into a link of its own, which exists once the file is complete."""

from urllib.parse import urlsplit

from waystation.connection import Connection
from waystation.errors import BadAnswer, Damaged, SourceChanged
from waystation.hashing import repr_digest
from waystation.journal import Entry
from waystation.progress import Progress
from waystation.sources import Source
from waystation.terms import Terms
from waystation.uploads import Upload


async def send_link(connection: Connection, source: Source, terms: Terms, entry: Entry, progress: Progress) -> str:
    """Send a file, and return the code of its link. `entry`: what is known of an earlier attempt."""

    def remember(upload_id: str) -> None:
        entry.data = {"upload": upload_id, "password": terms.mark()}
        entry.save()

    earlier = entry.data.get("upload") if terms.has_mark(entry.data.get("password")) else None
    metadata = {"filename": source.name, "share": "link", **terms.metadata()}
    upload = Upload(connection, source, metadata, key="0", upload_id=earlier, remember=remember, progress=progress)
    try:
        digest, said = await upload.send()
    except SourceChanged:
        await upload.abort()
        entry.finish()
        raise
    code, url = said.get("waystation-code"), said.get("waystation-url")
    if not code or not url:
        raise BadAnswer
    answer = await connection.request("HEAD", urlsplit(url).path, headers=terms.password_header())
    entry.finish()
    if repr_digest(answer.headers.get("repr-digest")) != digest:
        raise Damaged
    return code
