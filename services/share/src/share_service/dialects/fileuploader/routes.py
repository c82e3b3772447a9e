"""File Uploader, the file side: what its links lead to, deleting by key, an account's list, and adopting (section 2).

Accounts are the auth service's, uploads the upload service's.
"""

import json
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

from fastapi import APIRouter, Request, Response
from pydantic_core import from_json

from common import clock
from common.addresses import limit_key
from common.dialects import fileuploader
from common.dialects.fileuploader import PRIVATE, FileUploaderRoute, Refused, ok
from common.errors import DomainError, NotFound, Unavailable
from common.http.bodies import read_body
from common.http.downloads import shown
from common.http.public_url import base_url
from common.identity import Identity
from common.ranges import RANGE_LIMIT, range_count, starts_at_zero
from common.rights import Action, Actor, permitted
from share_service import operations
from share_service.context import AppState, state_of
from share_service.dialects.fileuploader.media_types import DOWNLOAD_TYPE, preview_type
from share_service.downloads.downloading import Asked, admit, start_download
from share_service.downloads.keys import address_holder
from share_service.downloads.passwords import proof_of, shown_password
from share_service.shares.model import Share, ShareEnded, UnknownCode

NO_FILE = "File not found"
NO_GROUP = "Group not found"
UNREADABLE = "Couldn't parse request body"
ROW_LIMIT = 1000
"""Files that one call may adopt."""


async def about(request: Request) -> Response:
    """`GET /api`: what monitors ask."""
    docs = f"{base_url(request, state_of(request).public_url)}/v1/openapi/share.json"
    return ok("File uploader RESTful API", docs=docs)


async def fetch(request: Request, file_url: str) -> Response:
    """`GET` and `HEAD /file/{file_url}`: the file; `GET` takes a use unless it is a resume."""
    state, now = state_of(request), clock.now()
    ranges = request.headers.getlist("range")
    if sum(range_count(header) for header in ranges) > RANGE_LIMIT:
        raise Refused(416, f"More than {RANGE_LIMIT} ranges")
    proof = proof_of(request, shown_password(request))
    asked = Asked(
        form="link",
        code=file_url,
        proof=proof,
        holder=address_holder(limit_key(proof.address)),
        may_start=True,
        method="HEAD" if request.method == "HEAD" else "GET",
        is_new=partial(starts_at_zero, ",".join(ranges) or None),
    )
    with _misses():
        found = await start_download(state, asked, await admit(state, asked, now), now)
    media_type = preview_type(found.share.name)
    return shown(
        stored_at=found.stored_at,
        size=found.share.size,
        sha256=found.sha256,
        media_type=media_type or DOWNLOAD_TYPE,
        name=found.share.name,
        preview=media_type is not None,
    )


async def delete(request: Request, file_url: str) -> Response:
    """`GET /api/delete/{file_url}?key=`: end the share; whoever has its key may."""
    state, now = state_of(request), clock.now()
    with _misses():
        async with state.database.transaction() as connection:
            share = await operations.look_up(connection, file_url, now, "link")
            actor = Actor(None, has_key=state.delete_keys.matches(share.id, request.query_params.get("key")))
            if not permitted(Action.DELETE, actor, share.owner):
                raise Refused(400, "Invalid unique key")
            await operations.end_share(connection, actor, share.id, now)
    return ok("deleted")


async def list_files(request: Request) -> Response:
    """`GET /api/get_files`: the account's links, the oldest first."""
    identity = await _identify(request)
    return ok("files got successfully", username=identity.name, data=await _rows(request, identity))


async def list_group_files(request: Request, group_id: str) -> Response:
    """`GET /api/get_files/{group_id}`: the same for `private`; there are no groups."""
    identity = await _identify(request)
    if group_id != PRIVATE:
        raise Refused(404, NO_GROUP) if group_id.isdecimal() else Refused(400, "Invalid group id")
    rows = [{**row, "username": identity.name} for row in await _rows(request, identity)]
    return ok("files got successfully", username=identity.name, is_group_owner=None, data=rows)


async def transfer(request: Request) -> Response:
    """`POST /api/transfer`: make files that are nobody's the account's own, each by its key.

    Rows that do not fit come back as they were sent. Asked again, it does what was left undone.
    """
    identity = await _identify(request)
    rows = _transfer_rows(await read_body(request))
    state = state_of(request)
    left = [row for row in rows if not await _adopt(state, identity, row)]
    return ok("transferred", unsuccess=left)


async def list_groups(request: Request) -> Response:
    """`GET /api/get_groups`: none. The page reads its list of files only when this succeeds."""
    await _identify(request)
    return ok("groups got successfully", groups=[])


async def no_group() -> Response:
    """All that can be asked about groups, of which there are none."""
    raise Refused(404, NO_GROUP)


@contextmanager
def _misses() -> Generator[None]:
    """Say in this dialect's words that a link leads nowhere."""
    try:
        yield
    except (UnknownCode, ShareEnded, NotFound):
        raise Refused(404, NO_FILE) from None


async def _identify(request: Request) -> Identity:
    return await fileuploader.identify(state_of(request).identities, request.headers.get("authorization"))


async def _rows(request: Request, identity: Identity) -> list[dict[str, Any]]:
    state = state_of(request)
    async with state.database.connection() as connection:
        links = await operations.list_links(connection, Actor(identity), identity.account_id, clock.now())
    base = base_url(request, state.public_url)
    return [_row(state, base, share) for share in links]


def _row(state: AppState, base: str, share: Share) -> dict[str, Any]:
    created_at = share.created_at.timestamp()
    return {
        "file_url": share.code,
        "file_url_full": f"{base}/file/{share.code}",
        "key": state.delete_keys.key(share.id),
        "ext": fileuploader.extension(share.name),
        "user_filename": fileuploader.short_name(share.name),
        "creation_date": fileuploader.date_text(share.created_at),
        "size": fileuploader.size_text(share.size),
        # Misspelt as the reference server does; later ones spell it right, and clients read either.
        "craeted_at": created_at,
        "created_at": created_at,
        "synced": True,
    }


def _transfer_rows(body: bytes) -> list[Any]:
    try:
        value: object = from_json(body, allow_inf_nan=False)
    except ValueError:
        raise Refused(400, UNREADABLE) from None
    if not isinstance(value, dict) or "data" not in value:
        raise Refused(400, "No `data` field in request body")
    rows = cast("dict[str, object]", value)["data"]
    if not isinstance(rows, list):
        raise Refused(400, UNREADABLE)
    found = cast("list[Any]", rows)
    try:
        # What is sent back must be such as can be said in JSON: numbers beyond measure can be read, but not.
        json.dumps(found, allow_nan=False)
    except ValueError:
        raise Refused(400, UNREADABLE) from None
    if len(found) > ROW_LIMIT:
        raise Refused(413, f"More than {ROW_LIMIT} files")
    return found


async def _adopt(state: AppState, identity: Identity, row: Any) -> bool:
    """Adopt what the row names; False when it names nothing that this account may have."""
    values = cast("dict[str, object]", row) if isinstance(row, dict) else {}
    file_url, key = values.get("file_url"), values.get("key")
    if not isinstance(file_url, str) or not isinstance(key, str):
        return False
    try:
        async with state.database.connection() as connection:
            share = await operations.look_up(connection, file_url, clock.now(), "link")
        if not state.delete_keys.matches(share.id, key):
            return False
        if not permitted(Action.ADOPT, Actor(identity, has_key=True), share.owner):
            return False
        # The file first: of two accounts that have the key, upload lets one have it.
        await state.upload.call("POST", f"/internal/files/{share.file_id}/adopt", {"owner": identity.account_id.hex})
    except Unavailable:
        raise
    except DomainError:
        return False
    async with state.database.transaction() as connection:
        return await operations.adopt_share(connection, identity, share.id)


router = APIRouter(route_class=FileUploaderRoute, include_in_schema=False)
router.add_api_route("/api", about, methods=["GET"], response_model=None)
for _path in ("/file/{file_url}", "/f/{file_url}"):
    router.add_api_route(_path, fetch, methods=["GET", "HEAD"], response_model=None)
router.add_api_route("/api/delete/{file_url}", delete, methods=["GET"], response_model=None)
for _path in ("/api/get_files", "/api/getFiles"):
    router.add_api_route(_path, list_files, methods=["GET"], response_model=None)
router.add_api_route("/api/get_files/{group_id}", list_group_files, methods=["GET"], response_model=None)
router.add_api_route("/api/transfer", transfer, methods=["POST"], response_model=None)
router.add_api_route("/api/get_groups", list_groups, methods=["GET"], response_model=None)
for _path, _methods in (
    ("/api/create_group", ["POST"]),
    ("/api/delete_group/{group_id}", ["DELETE", "POST"]),
    ("/api/generate_invite/{group_id}", ["GET"]),
    ("/api/join/{link}", ["POST"]),
    ("/api/invite_info/{link}", ["GET"]),
    ("/api/leave/{group_id}", ["POST"]),
    ("/invite/{link}", ["GET"]),
):
    router.add_api_route(_path, no_group, methods=_methods, response_model=None)
