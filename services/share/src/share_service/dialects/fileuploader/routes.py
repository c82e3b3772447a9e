"""File Uploader, the file side: deleting by key, an account's list, and adopting (section 2).

Accounts belong to the auth service, uploads to the upload service.
"""

from typing import Any, cast

from fastapi import APIRouter, Request, Response

from common.dialects import fileuploader
from common.dialects.fileuploader import PRIVATE, FileUploaderRoute, Refused, ok
from common.errors import Forbidden, InvalidInput
from common.http.bodies import read_body
from common.http.json_bodies import parse_json
from common.identity import Identity
from share_service.dialects.fileuploader.links import own_errors
from share_service.edge import context_of, identities_of, public_url_of
from share_service.shares.by_key import adopt_link, end_link
from share_service.shares.delete_keys import DeleteKeys
from share_service.shares.model import Share
from share_service.shares.owning import owned_links

NO_GROUP = "Group not found"
UNREADABLE = "Couldn't parse request body"
ROW_LIMIT = 1000
"""Files that one call may adopt."""

router = APIRouter(route_class=FileUploaderRoute, include_in_schema=False)


@router.get("/api")
async def about(request: Request) -> Response:
    """The answer to monitors."""
    return ok("File uploader RESTful API", docs=f"{public_url_of(request)}/v1/openapi/share.json")


@router.get("/api/delete/{file_url}")
async def delete(request: Request, file_url: str) -> Response:
    """End the share; whoever has its key may."""
    with own_errors():
        try:
            await end_link(context_of(request), file_url, request.query_params.get("key"))
        except Forbidden:
            raise Refused(400, "Invalid unique key") from None
    return ok("deleted")


@router.get("/api/get_files")
@router.get("/api/getFiles")
async def list_files(request: Request) -> Response:
    """The account's links, the oldest first."""
    identity = await _identify(request)
    return ok("files got successfully", username=identity.name, data=await _rows(request, identity))


@router.get("/api/get_files/{group_id}")
async def list_group_files(request: Request, group_id: str) -> Response:
    """The account's links for the group `private`; there are no other groups."""
    identity = await _identify(request)
    if group_id != PRIVATE:
        raise Refused(404, NO_GROUP) if group_id.isdecimal() else Refused(400, "Invalid group id")
    rows = [{**row, "username": identity.name} for row in await _rows(request, identity)]
    return ok("files got successfully", username=identity.name, is_group_owner=None, data=rows)


@router.post("/api/transfer")
async def transfer(request: Request) -> Response:
    """Adopt files that belong to nobody into the account, each by its key.

    Rows that cannot be adopted are returned as they were sent. Doing it again does the rest.
    """
    identity = await _identify(request)
    context = context_of(request)
    left: list[Any] = []
    for row in _transfer_rows(await read_body(request)):
        file_url, key = _link_and_key(row)
        if file_url is None or key is None or not await adopt_link(context, identity, file_url, key):
            left.append(row)
    return ok("transferred", unsuccess=left)


@router.get("/api/get_groups")
async def list_groups(request: Request) -> Response:
    """No groups. The page reads its list of files only if this succeeds."""
    await _identify(request)
    return ok("groups got successfully", groups=[])


@router.post("/api/create_group")
@router.api_route("/api/delete_group/{group_id}", methods=["DELETE", "POST"])
@router.get("/api/generate_invite/{group_id}")
@router.post("/api/join/{link}")
@router.get("/api/invite_info/{link}")
@router.post("/api/leave/{group_id}")
@router.get("/invite/{link}")
async def no_group() -> Response:
    """The answer to everything about groups, because there are none."""
    raise Refused(404, NO_GROUP)


async def _identify(request: Request) -> Identity:
    return await fileuploader.identify(identities_of(request), request.headers.get("authorization"))


async def _rows(request: Request, identity: Identity) -> list[dict[str, Any]]:
    context, base = context_of(request), public_url_of(request)
    keys = DeleteKeys(context.key_secret)
    return [_row(keys, base, share) for share in await owned_links(context, identity)]


def _row(keys: DeleteKeys, base: str, share: Share) -> dict[str, Any]:
    created_at = share.created_at.timestamp()
    return {
        "file_url": share.code,
        "file_url_full": f"{base}/file/{share.code}",
        "key": keys.key(share.id),
        "ext": fileuploader.extension(share.name),
        "user_filename": fileuploader.short_name(share.name),
        "creation_date": fileuploader.date_text(share.created_at),
        "size": fileuploader.size_text(share.size),
        # Misspelt as the reference server does; later versions spell it right, and clients read either.
        "craeted_at": created_at,
        "created_at": created_at,
        "synced": True,
    }


def _transfer_rows(body: bytes) -> list[Any]:
    try:
        value = parse_json(body)
    except InvalidInput:
        raise Refused(400, UNREADABLE) from None
    if not isinstance(value, dict) or "data" not in value:
        raise Refused(400, "No `data` field in request body")
    rows = cast("dict[str, object]", value)["data"]
    if not isinstance(rows, list):
        raise Refused(400, UNREADABLE)
    found = cast("list[Any]", rows)
    if len(found) > ROW_LIMIT:
        raise Refused(413, f"More than {ROW_LIMIT} files")
    return found


def _link_and_key(row: Any) -> tuple[str | None, str | None]:
    values = cast("dict[str, object]", row) if isinstance(row, dict) else {}
    file_url, key = values.get("file_url"), values.get("key")
    return file_url if isinstance(file_url, str) else None, key if isinstance(key, str) else None
