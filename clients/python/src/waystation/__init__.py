"""Send and fetch files of a Waystation server.

`AsyncClient` and `Client` are a server, `FileSource` and `ZipSource` what is sent. All errors are `WaystationError`s.
"""

import waystation.lean  # noqa: F401  # pyright: ignore[reportUnusedImport]  (it comes first)  # isort: split
from waystation.blocking import Client
from waystation.client import AsyncClient
from waystation.drops import DropTerms
from waystation.errors import (
    BadAnswer,
    Damaged,
    Limited,
    NoRoom,
    NotAllowed,
    NotFound,
    NotSignedIn,
    PasswordNeeded,
    PasswordWrong,
    Refused,
    ServerFull,
    SourceChanged,
    Temporary,
    UnknownCode,
    Unreachable,
    Unusable,
    WaystationError,
)
from waystation.models import Copy, Drop, Fetch, Item, Message, Mirror, Offer, OwnFile, OwnShare, Room, Share
from waystation.progress import Progress, Step
from waystation.receiving import Received
from waystation.sources import FileSource, Source, Spooled, ZipSource
from waystation.terms import Expiry, Terms

__all__ = [
    "AsyncClient",
    "BadAnswer",
    "Client",
    "Copy",
    "Damaged",
    "Drop",
    "DropTerms",
    "Expiry",
    "Fetch",
    "FileSource",
    "Item",
    "Limited",
    "Message",
    "Mirror",
    "NoRoom",
    "NotAllowed",
    "NotFound",
    "NotSignedIn",
    "Offer",
    "OwnFile",
    "OwnShare",
    "PasswordNeeded",
    "PasswordWrong",
    "Progress",
    "Received",
    "Refused",
    "Room",
    "ServerFull",
    "Share",
    "Source",
    "SourceChanged",
    "Spooled",
    "Step",
    "Temporary",
    "Terms",
    "UnknownCode",
    "Unreachable",
    "Unusable",
    "WaystationError",
    "ZipSource",
]
