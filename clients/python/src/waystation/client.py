"""The client for asyncio."""

from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

from waystation import account, drops
from waystation.connection import Connection
from waystation.continuing import take_over
from waystation.drops import DropTerms
from waystation.errors import Unusable
from waystation.journal import Entry, default_folder
from waystation.links import send_link
from waystation.models import Copy, Drop, Fetch, Message, Mirror, Offer, OwnFile, OwnShare, Room, Share
from waystation.offers import look
from waystation.progress import Progress, silent
from waystation.receiving import Received, Receiving
from waystation.sending import Sending, Sent, Text
from waystation.sources import Source
from waystation.terms import Terms

CONNECTIONS = 4


def unheard(_: object) -> None:
    """Nobody wants to know."""


class AsyncClient:
    """A Waystation server, as a guest or as the account of `token`.

    `patience`: how many seconds a transfer goes on trying while it gets no further. `journal`: the folder of what is
    unfinished; None: the user's own.
    """

    def __init__(
        self,
        server: str,
        *,
        token: str | None = None,
        patience: float = 120,
        journal: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._connection = Connection(server, token, patience=patience, transport=transport)
        self._journal = journal or default_folder()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connection.aclose()

    @property
    def server(self) -> str:
        return self._connection.server

    async def send(
        self,
        sent: Sequence[Source],
        terms: Terms | None = None,
        *,
        resume: bool = True,
        on_share: Callable[[Share], None] = unheard,
        progress: Progress = silent,
    ) -> Share:
        """Send files under one code, and return their share when the server has verified them.

        What an earlier call with the same files and terms has sent is not sent again, if `resume`.
        """
        return await self._send(list(sent), terms or Terms(), resume, on_share, progress)

    async def continue_sending(
        self,
        code: str,
        sent: Sequence[Source],
        *,
        on_share: Callable[[Share], None] = unheard,
        progress: Progress = silent,
    ) -> Share:
        """Send the rest of files of a share that the account has begun elsewhere. Each is known by its name and size.

        What the server has is not sent again, but read, as the digest of the whole is compared at the end.
        """
        sources, terms = list(sent), Terms()
        identities = [source.identity for source in sources]
        with Entry(self._journal, "continue", (self.server, code, *identities)) as entry:
            await take_over(self._connection, code, sources, entry)
            return await Sending(self._connection, sources, terms, entry, progress).resume(on_share)

    async def send_text(
        self, text: str, terms: Terms | None = None, *, on_share: Callable[[Share], None] = unheard
    ) -> Share:
        """Share a text under a code."""
        return await self._send([Text(text)], terms or Terms(), False, on_share, silent)

    async def create_drop(self, title: str, terms: DropTerms | None = None) -> Drop:
        """Make a code by which anybody sends files to the account."""
        return await drops.create(self._connection, title, terms or DropTerms())

    async def drops(self) -> list[Drop]:
        """The drop-offs of the account, the newest first."""
        return await drops.drops(self._connection)

    async def look_at_drop(self, code: str) -> Drop:
        """The drop-off under a code, as those who send see it."""
        return await drops.look(self._connection, code)

    async def end_drop(self, code: str) -> None:
        """End a drop-off of the account. What came by it stays."""
        await drops.end(self._connection, code)

    async def deliver(
        self,
        code: str,
        sent: Sequence[Source],
        *,
        title: str | None = None,
        message: str | None = None,
        resume: bool = True,
        progress: Progress = silent,
    ) -> Share:
        """Send files to the owner of a drop-off, and return when the server has verified them. As `send`."""
        terms, path = Terms(title=title, message=message), f"{drops.path_of(code)}/shares"
        return await self._send(list(sent), terms, resume, unheard, progress, path)

    async def send_to_room(
        self, room: str, source: Source, terms: Terms | None = None, *, progress: Progress = silent, text: str = ""
    ) -> Message:
        """Send a file, and post its link in a room that is named by its name or id."""
        found = await account.room_named(self._connection, room)
        with Entry(self._journal, "link", (self.server, (terms or Terms()).key(), source.identity)) as entry:
            link = await send_link(self._connection, source, terms or Terms(), entry, progress)
        share = await account.share_with(self._connection, link)
        content = {"share_id": share.id} | ({"text": text} if text else {})
        return await account.post(self._connection, found, content)

    async def look(self, code: str, password: str | None = None) -> Offer:
        """The share under a code."""
        return await look(self._connection, code, password)

    async def get(
        self,
        code: str,
        folder: Path,
        *,
        password: str | None = None,
        connections: int = CONNECTIONS,
        overwrite: bool = False,
        on_item: Callable[[Received], None] = unheard,
        progress: Progress = silent,
    ) -> list[Received]:
        """Receive everything under a code into a folder. A file whose name is taken gets another one, unless
        `overwrite`."""
        receiving = Receiving(self._connection, code, password, self._journal, progress)
        return await receiving.into(folder, connections=connections, overwrite=overwrite, on_item=on_item)

    async def get_file(
        self,
        code: str,
        target: Path,
        *,
        password: str | None = None,
        connections: int = CONNECTIONS,
        overwrite: bool = False,
        progress: Progress = silent,
    ) -> Received:
        """Receive the only item under a code as this file."""
        receiving = Receiving(self._connection, code, password, self._journal, progress)
        return await receiving.to_file(target, connections=connections, overwrite=overwrite)

    async def pipe(
        self, code: str, write: Callable[[bytes], object], *, password: str | None = None, progress: Progress = silent
    ) -> Received:
        """Hand the content of the only item under a code to `write`, block by block."""
        return await Receiving(self._connection, code, password, self._journal, progress).to_pipe(write)

    async def log_in(self, name: str, password: str, *, long: bool = False) -> str:
        """Sign in, and use the account from now on. Returns the token, of five days or (`long`) half a year."""
        self._connection.token = None
        self._connection.token = await account.log_in(self._connection, name, password, long=long)
        return self._connection.token

    async def log_out(self) -> None:
        """End the session of the token."""
        await account.log_out(self._connection)
        self._connection.token = None

    async def files(self) -> list[OwnFile]:
        """The files of the account, the newest first."""
        return await account.files(self._connection)

    async def delete_file(self, file_id: str) -> None:
        """Delete a file; its shares end."""
        await self._connection.request("DELETE", f"/v1/files/{quote(file_id, safe='')}")

    async def shares(self) -> list[OwnShare]:
        """The shares of the account, the newest first."""
        return await account.shares(self._connection)

    async def end_share(self, code: str) -> None:
        """End the share with this code or id."""
        share = await account.share_with(self._connection, code)
        await self._connection.request("DELETE", f"/v1/shares/{share.id}")

    async def rooms(self) -> list[Room]:
        """The rooms of the account, then the public ones."""
        return await account.rooms(self._connection)

    async def messages(self, room: str) -> list[Message]:
        """The messages of a room, the oldest first."""
        return await account.messages(self._connection, await account.room_named(self._connection, room))

    async def post(self, room: str, text: str) -> Message:
        """Post a message in a room."""
        found = await account.room_named(self._connection, room)
        return await account.post(self._connection, found, {"text": text})

    async def mirrors(self) -> list[Mirror]:
        """The mirrors that the account may use."""
        return await account.mirrors(self._connection)

    async def copies(self, file_id: str) -> list[Copy]:
        """The copies of a file on mirrors."""
        return await account.copies(self._connection, file_id)

    async def copy_to(self, file_id: str, mirror_ids: Sequence[int]) -> None:
        """Have a file copied to mirrors."""
        await account.copy_to(self._connection, file_id, mirror_ids)

    async def fetch(self, url: str, *, name: str | None = None, sha256: str | None = None, form: str = "link") -> Fetch:
        """Have the server fetch a URL. `form` of the share that it becomes: link, code or page."""
        asked: dict[str, Any] = {"url": url, "name": name, "sha256": sha256, "form": form}
        return await account.start_fetch(self._connection, asked)

    def watch(self, fetch: Fetch) -> AsyncGenerator[Fetch]:
        """The states of a fetch as they change; the last one is settled."""
        return account.watch_fetch(self._connection, fetch)

    async def _send(
        self,
        sent: list[Sent],
        terms: Terms,
        resume: bool,
        on_share: Callable[[Share], None],
        progress: Progress,
        path: str = "/v1/shares",
    ) -> Share:
        if not sent:
            raise Unusable("There is nothing to send.")
        identities = [one.text if isinstance(one, Text) else one.identity for one in sent]
        with Entry(self._journal, "send", (self.server, path, terms.key(), *identities)) as entry:
            if not resume:
                entry.clear()
            return await Sending(self._connection, sent, terms, entry, progress, path).send(on_share)
