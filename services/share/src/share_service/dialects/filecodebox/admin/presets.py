"""The kept filters of the list, which the pages call views."""

from collections.abc import Mapping
from typing import Any, cast

from fastapi import APIRouter, Request, Response

from common.audit import Author
from common.dialects.filecodebox import FieldError, FileCodeBoxRoute, Refused, int_field, ok, timestamp
from common.dialects.filecodebox_admin import administered, object_of, twins
from common.errors import NotFound
from share_service.administration import presets as kept
from share_service.administration.model import Preset
from share_service.edge import context_of

NO_NAME_TEXT = "请输入视图名称"
UNKNOWN_TEXT = "视图不存在"
TOO_MANY_TEXT = "视图数量已达上限"
NAME_LENGTH, WORD_LENGTH, SIZE_LIMIT, SIZE = 32, 80, 100, 10
_WORDS = {"keyword": "", "status": "all", "type": "all", "health": "all", "sortBy": "created_at", "sortOrder": "desc"}

router = APIRouter(route_class=FileCodeBoxRoute, include_in_schema=False)


@administered(router, "/file/view-presets", "GET")
async def list_presets(request: Request, author: Author) -> Response:
    """All kept filters."""
    found = [_shown(preset) for preset in await kept.list_presets(context_of(request), author)]
    return ok({"presets": found, "items": found, "total": len(found)})


@administered(router, "/file/view-presets", "PATCH", "POST")
async def save_preset(request: Request, author: Author) -> Response:
    """Keep a filter, or replace the one whose id is given."""
    context, fields = context_of(request), await object_of(request)
    name = fields.get("name")
    if not isinstance(name, str) or not name.replace("\0", "").strip():
        raise Refused(400, NO_NAME_TEXT)
    name = name.replace("\0", "").strip()[:NAME_LENGTH]
    filters = _filters(fields)
    try:
        if fields.get("id") in (None, ""):
            return ok(_shown(await kept.add_preset(context, author, name, filters)))
        return ok(_shown(await kept.replace_preset(context, author, _id(fields), name, filters)))
    except NotFound:
        raise Refused(404, UNKNOWN_TEXT) from None
    except kept.TooManyPresets:
        raise Refused(400, TOO_MANY_TEXT) from None


@administered(router, "/file/view-presets", "DELETE")
async def delete_preset(request: Request, author: Author) -> Response:
    """Forget a kept filter."""
    context, preset_id = context_of(request), _id(await object_of(request))
    deleted = await kept.delete_preset(context, author, preset_id)
    left = await kept.list_presets(context, author)
    return ok(twins({"deleted": deleted, "deletedPresetId": preset_id, "total": len(left)}))


@administered(router, "/file/view-presets/delete", "POST")
async def delete_preset_by_post(request: Request, author: Author) -> Response:
    """The same, for pages behind proxies that let no body of a DELETE through."""
    return await delete_preset(request, author)


def _id(fields: dict[str, Any]) -> int:
    found = int_field(fields, "id")
    if not 0 <= found < 2**31:
        raise Refused(404, UNKNOWN_TEXT)
    return found


def _filters(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a filter that the page knows."""
    sent = next((fields[name] for name in ("filters", "params") if isinstance(fields.get(name), dict)), {})
    given = cast("dict[str, Any]", sent)
    found: dict[str, Any] = {}
    for name, default in _WORDS.items():
        value = given.get(name)
        found[name] = value.replace("\0", "")[:WORD_LENGTH] if isinstance(value, str) and value else default
    try:
        found["size"] = min(max(1, int_field(given, "size", SIZE)), SIZE_LIMIT)
    except FieldError:
        found["size"] = SIZE
    return found


def _shown(preset: Preset) -> dict[str, Any]:
    times = twins({"createdAt": timestamp(preset.created_at), "updatedAt": timestamp(preset.changed_at)})
    return {"id": preset.id, "name": preset.name, "filters": preset.filters, "params": preset.filters, **times}
