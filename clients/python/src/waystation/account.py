"""The things of an account on a server: its files, shares, rooms, mirrors, and the URLs that are fetched for it."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any
from urllib.parse import quote

from waystation.connection import Connection, read_json
from waystation.errors import BadAnswer, NotFound, NotReady, NotSignedIn, PasswordWrong
from waystation.models import Copy, Fetch, Message, Mirror, OwnFile, OwnShare, Room, parsed


async def log_in(connection: Connection, name: str, password: str, *, long: bool) -> str:
    """Sign in; returns the token. `long`: for half a year. Raises `PasswordWrong`."""
    asked = {"name": name, "password": password, "bot": long}
    try:
        answer = read_json(await connection.once("POST", "/v1/auth/login", json=asked))
    except NotSignedIn:
        raise PasswordWrong("The name or the password is wrong.", 401) from None
    return parsed(lambda found: str(found["token"]), answer)


async def log_out(connection: Connection) -> None:
    """End the session of the token, so that it is not accepted any more."""
    await connection.request("POST", "/v1/auth/logout")


async def pages(connection: Connection, path: str, name: str) -> AsyncGenerator[Any]:
    """The entries of a list, page by page."""
    after: str | None = None
    while True:
        asked = {"limit": "100"} | ({"after": after} if after else {})
        page = await connection.json("GET", path, params=asked)
        try:
            entries, following = page[name], page["next"]
        except (KeyError, TypeError):
            raise BadAnswer from None
        for entry in entries:
            yield entry
        if not following or following == after:
            return
        after = str(following)


async def files(connection: Connection) -> list[OwnFile]:
    return [parsed(OwnFile.parse, found) async for found in pages(connection, "/v1/files", "files")]


async def shares(connection: Connection) -> list[OwnShare]:
    return [parsed(OwnShare.parse, found) async for found in pages(connection, "/v1/shares", "shares")]


async def share_with(connection: Connection, code: str) -> OwnShare:
    """The share with this code or id. Raises `NotFound`."""
    async for found in pages(connection, "/v1/shares", "shares"):
        share = parsed(OwnShare.parse, found)
        if code in (share.code, share.id):
            return share
    raise NotFound("None of your shares has this code.", 404)


async def rooms(connection: Connection) -> list[Room]:
    """The rooms that the account is a member of, then the public ones."""
    found = [parsed(Room.parse, room) async for room in pages(connection, "/v1/rooms/mine", "rooms")]
    known = {room.id for room in found}
    listed = [parsed(Room.parse, room) async for room in pages(connection, "/v1/rooms", "rooms")]
    return found + [room for room in listed if room.id not in known]


async def room_named(connection: Connection, room: str) -> Room:
    """The room with this name or id. Raises `NotFound`."""
    for found in await rooms(connection):
        if room in (found.name, str(found.id)):
            return found
    raise NotFound("There is no room of this name.", 404)


async def messages(connection: Connection, room: Room) -> list[Message]:
    answer = await connection.json("GET", f"/v1/rooms/{room.id}/messages")
    return parsed(lambda found: [Message.parse(message) for message in found["messages"]], answer)


async def post(connection: Connection, room: Room, content: dict[str, str]) -> Message:
    """Post a message: a `text`, or a `share_id`. Not repeated, because it might come twice."""
    answer = await connection.once("POST", f"/v1/rooms/{room.id}/messages", json=content)
    return parsed(Message.parse, read_json(answer))


async def mirrors(connection: Connection) -> list[Mirror]:
    answer = await connection.json("GET", "/v1/mirrors")
    return parsed(lambda found: [Mirror.parse(mirror) for mirror in found["mirrors"]], answer)


async def copies(connection: Connection, file_id: str) -> list[Copy]:
    answer = await connection.json("GET", f"/v1/files/{quote(file_id, safe='')}/mirrors")
    return parsed(lambda found: [Copy.parse(copy) for copy in found["mirrors"]], answer)


async def copy_to(connection: Connection, file_id: str, mirror_ids: Sequence[int]) -> None:
    await connection.request("POST", f"/v1/files/{quote(file_id, safe='')}/mirrors", json={"mirrors": list(mirror_ids)})


async def start_fetch(connection: Connection, asked: dict[str, Any]) -> Fetch:
    return parsed(Fetch.parse, read_json(await connection.once("POST", "/v1/fetches", json=asked)))


async def watch_fetch(connection: Connection, fetch: Fetch) -> AsyncGenerator[Fetch]:
    """The states of a fetch, until it is settled."""
    attempts = connection.attempts()
    while True:
        yield fetch
        if fetch.is_settled:
            return
        before = fetch
        # It takes as long as it takes; the server gives up by itself.
        await attempts.pause(NotReady("the server is still fetching"))
        fetch = parsed(Fetch.parse, await connection.json("GET", f"/v1/fetches/{fetch.id}"))
        if fetch != before:
            attempts.progressed()
