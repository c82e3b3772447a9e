"""Files in messages."""

from typing import TypedDict


class SharedFile(TypedDict):
    """A file that a message carries, in JSON. `size` in bytes; `type` is a media type; `url` opens it."""

    name: str
    size: int
    type: str
    url: str
