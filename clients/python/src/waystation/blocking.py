"""The client without asyncio: the same methods, each of which returns when it is done."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from waystation.client import CONNECTIONS, AsyncClient, unheard
from waystation.drops import DropTerms
from waystation.models import Copy, Drop, Fetch, Message, Mirror, Offer, OwnFile, OwnShare, Room, Share
from waystation.progress import Progress, silent
from waystation.receiving import Received
from waystation.sources import Source
from waystation.terms import Terms

Result = TypeVar("Result")


class Client:
    """A Waystation server, as a guest or as the account of `token`. `AsyncClient` describes the parameters.

    It is used by one thread at a time, and not inside a running event loop.
    """

    def __init__(
        self, server: str, *, token: str | None = None, patience: float = 120, journal: Path | None = None
    ) -> None:
        self._client = AsyncClient(server, token=token, patience=patience, journal=journal)
        self._runner = asyncio.Runner()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._run(self._client.aclose())
        self._runner.close()

    def send(
        self,
        sent: Sequence[Source],
        terms: Terms | None = None,
        *,
        resume: bool = True,
        on_share: Callable[[Share], None] = unheard,
        progress: Progress = silent,
    ) -> Share:
        """Send files under one code, and return their share when the server has verified them."""
        return self._run(self._client.send(sent, terms, resume=resume, on_share=on_share, progress=progress))

    def continue_sending(
        self,
        code: str,
        sent: Sequence[Source],
        *,
        on_share: Callable[[Share], None] = unheard,
        progress: Progress = silent,
    ) -> Share:
        """Send the rest of files of a share that the account has begun elsewhere."""
        return self._run(self._client.continue_sending(code, sent, on_share=on_share, progress=progress))

    def send_text(self, text: str, terms: Terms | None = None) -> Share:
        """Share a text under a code."""
        return self._run(self._client.send_text(text, terms))

    def create_drop(self, title: str, terms: DropTerms | None = None) -> Drop:
        """Make a code by which anybody sends files to the account."""
        return self._run(self._client.create_drop(title, terms))

    def drops(self) -> list[Drop]:
        """The drop-offs of the account, the newest first."""
        return self._run(self._client.drops())

    def look_at_drop(self, code: str) -> Drop:
        """The drop-off under a code, as those who send see it."""
        return self._run(self._client.look_at_drop(code))

    def end_drop(self, code: str) -> None:
        """End a drop-off of the account."""
        self._run(self._client.end_drop(code))

    def deliver(
        self,
        code: str,
        sent: Sequence[Source],
        *,
        title: str | None = None,
        message: str | None = None,
        resume: bool = True,
        progress: Progress = silent,
    ) -> Share:
        """Send files to the owner of a drop-off, and return when the server has verified them."""
        sending = self._client.deliver(code, sent, title=title, message=message, resume=resume, progress=progress)
        return self._run(sending)

    def send_to_room(
        self, room: str, source: Source, terms: Terms | None = None, *, progress: Progress = silent, text: str = ""
    ) -> Message:
        """Send a file, and post its link in a room."""
        return self._run(self._client.send_to_room(room, source, terms, progress=progress, text=text))

    def look(self, code: str, password: str | None = None) -> Offer:
        """The share under a code."""
        return self._run(self._client.look(code, password))

    def get(
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
        """Receive everything under a code into a folder."""
        return self._run(
            self._client.get(
                code,
                folder,
                password=password,
                connections=connections,
                overwrite=overwrite,
                on_item=on_item,
                progress=progress,
            )
        )

    def get_file(
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
        return self._run(
            self._client.get_file(
                code, target, password=password, connections=connections, overwrite=overwrite, progress=progress
            )
        )

    def pipe(
        self, code: str, write: Callable[[bytes], object], *, password: str | None = None, progress: Progress = silent
    ) -> Received:
        """Hand the content of the only item under a code to `write`, block by block."""
        return self._run(self._client.pipe(code, write, password=password, progress=progress))

    def log_in(self, name: str, password: str, *, long: bool = False) -> str:
        """Sign in, and use the account from now on. Returns the token."""
        return self._run(self._client.log_in(name, password, long=long))

    def log_out(self) -> None:
        """End the session of the token."""
        self._run(self._client.log_out())

    def files(self) -> list[OwnFile]:
        """The files of the account, the newest first."""
        return self._run(self._client.files())

    def delete_file(self, file_id: str) -> None:
        """Delete a file; its shares end."""
        self._run(self._client.delete_file(file_id))

    def shares(self) -> list[OwnShare]:
        """The shares of the account, the newest first."""
        return self._run(self._client.shares())

    def end_share(self, code: str) -> None:
        """End the share with this code or id."""
        self._run(self._client.end_share(code))

    def rooms(self) -> list[Room]:
        """The rooms of the account, then the public ones."""
        return self._run(self._client.rooms())

    def messages(self, room: str) -> list[Message]:
        """The messages of a room, the oldest first."""
        return self._run(self._client.messages(room))

    def post(self, room: str, text: str) -> Message:
        """Post a message in a room."""
        return self._run(self._client.post(room, text))

    def mirrors(self) -> list[Mirror]:
        """The mirrors that the account may use."""
        return self._run(self._client.mirrors())

    def copies(self, file_id: str) -> list[Copy]:
        """The copies of a file on mirrors."""
        return self._run(self._client.copies(file_id))

    def copy_to(self, file_id: str, mirror_ids: Sequence[int]) -> None:
        """Have a file copied to mirrors."""
        self._run(self._client.copy_to(file_id, mirror_ids))

    def fetch(self, url: str, *, name: str | None = None, sha256: str | None = None, form: str = "link") -> Fetch:
        """Have the server fetch a URL."""
        return self._run(self._client.fetch(url, name=name, sha256=sha256, form=form))

    def watch(self, fetch: Fetch) -> Iterator[Fetch]:
        """The states of a fetch as they change; the last one is settled."""
        states = self._client.watch(fetch)
        while True:
            try:
                yield self._run(anext(states))
            except StopAsyncIteration:
                return

    def _run(self, work: "Coroutine[Any, Any, Result]") -> Result:
        return self._runner.run(work)
