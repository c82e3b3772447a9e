"""Changing and ending shares: one by one, and many at once."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from common.audit import Author
from common.dialects.filecodebox import FileCodeBoxRoute, Refused, ok
from common.dialects.filecodebox_admin import administered, object_of, twins
from common.errors import InvalidInput, NotFound
from share_service.administration import acting
from share_service.administration.acting import Change, Edit, Outcome
from share_service.administration.model import Note
from share_service.dialects.filecodebox.admin.asking import UNKNOWN_TEXT, id_of, ids_of, moment_of, uses_in
from share_service.dialects.filecodebox.admin.lists import seen, whole_detail
from share_service.dialects.filecodebox.admin.rows import split_name, uses_of
from share_service.edge import context_of
from share_service.shares.model import CodeTaken, Share

UPDATED_TEXT = "更新成功"
CODE_TAKEN_TEXT = "code已存在"
NO_FILES_TEXT = "请选择要删除的文件"
NO_FILES_TO_UPDATE_TEXT = "请选择要更新的文件"
NO_FIELDS_TEXT = "请选择要更新的字段"
NO_METADATA_TEXT = "请选择要更新的元数据"
NO_SUCH_ACTION_TEXT = "不支持的策略动作"
BAD_USES_TEXT = "取件次数必须大于 0"
BAD_COUNT_TEXT = "取件次数格式错误"
USES = 5

router = APIRouter(route_class=FileCodeBoxRoute, include_in_schema=False)


@administered(router, "/file/update", "PATCH")
async def update(request: Request, author: Author) -> Response:
    """Change code, name, end or uses. The page sends all of them; what is empty, or as it was, stays as it is."""
    context, fields = context_of(request), await object_of(request)
    share = (await seen(context, author, id_of(fields))).share
    code = fields.get("code")
    code = code.strip() if isinstance(code, str) else ""
    edit = Edit(_edits(share, fields), gives_code=code not in ("", share.code), code=code)
    try:
        await acting.edit_share(context, author, share.id, edit)
    except CodeTaken:
        raise Refused(400, CODE_TAKEN_TEXT) from None
    except NotFound:
        raise Refused(404, UNKNOWN_TEXT) from None
    return ok(UPDATED_TEXT)


@administered(router, "/file/delete", "DELETE")
async def delete(request: Request, author: Author) -> Response:
    """End a share."""
    share_id = id_of(await object_of(request))
    if not (await acting.end_shares(context_of(request), author, [share_id])).done:
        raise Refused(404, UNKNOWN_TEXT)
    return ok(None)


@administered(router, "/file/batch-delete", "DELETE", "POST")
async def delete_many(request: Request, author: Author) -> Response:
    """End many shares."""
    ids, strange = ids_of(await object_of(request), NO_FILES_TEXT)
    outcome = await acting.end_shares(context_of(request), author, ids)
    return ok(_counted("deleted", ids, strange, outcome))


@administered(router, "/file/batch-update", "PATCH", "POST")
async def update_many(request: Request, author: Author) -> Response:
    """Give many shares another end, or another number of uses."""
    fields = await object_of(request)
    ids, strange = ids_of(fields, NO_FILES_TO_UPDATE_TEXT)
    changes: list[Change] = []
    if fields.get("clearExpiredAt") is True or fields.get("clear_expired_at") is True:
        changes.append(acting.expiring(None))
    elif moment := moment_of(fields.get("expired_at")):
        changes.append(acting.expiring(moment))
    uses = uses_in(fields.get("expired_count"), BAD_COUNT_TEXT)
    if uses is not None:
        changes.append(acting.limited(None if uses == -1 else uses))
    if not changes:
        raise Refused(400, NO_FIELDS_TEXT)
    outcome = await acting.change_shares(context_of(request), author, "share.change", ids, *changes)
    return ok(_counted("updated", ids, strange, outcome))


@administered(router, "/file/policy-action", "PATCH", "POST")
async def act(request: Request, author: Author) -> Response:
    """Extend a share, lift its limits, or give it new uses. The answer is all about it."""
    context, fields = context_of(request), await object_of(request)
    share_id = id_of(fields)
    name, change = _action(fields)
    await seen(context, author, share_id)
    await acting.change_shares(context, author, name, [share_id], change)
    return ok(await whole_detail(context, author, share_id))


@administered(router, "/file/batch-policy-action", "PATCH", "POST")
async def act_on_many(request: Request, author: Author) -> Response:
    """The same for many shares."""
    fields = await object_of(request)
    ids, strange = ids_of(fields, NO_FILES_TO_UPDATE_TEXT)
    name, change = _action(fields)
    outcome = await acting.change_shares(context_of(request), author, name, ids, change)
    return ok({**_counted("updated", ids, strange, outcome), "action": fields["action"]})


@administered(router, "/file/metadata", "PATCH", "POST")
async def annotate(request: Request, author: Author) -> Response:
    """Note something about a share. The answer is all about it."""
    context, fields = context_of(request), await object_of(request)
    share_id, note = id_of(fields), _note(fields)
    await seen(context, author, share_id)
    await acting.annotate_shares(context, author, [share_id], note)
    return ok(await whole_detail(context, author, share_id))


def _edits(share: Share, fields: Mapping[str, Any]) -> list[Change]:
    """The changes of name, end and uses that are asked for."""
    changes: list[Change] = []
    prefix, suffix = split_name(share)
    name = f"{_text(fields, 'prefix') or prefix}{_text(fields, 'suffix') or suffix}"
    # A text's name is how clients recognise that it is one.
    if name != share.name and share.content_kind != "text":
        changes.append(acting.renamed(name))
    moment = moment_of(fields.get("expired_at"))
    # The page writes minutes, so what it was given comes back without seconds.
    if moment and (share.expires_at is None or _minute(moment.timestamp()) != _minute(share.expires_at.timestamp())):
        changes.append(acting.expiring(moment))
    uses = uses_in(fields.get("expired_count"), BAD_COUNT_TEXT)
    if uses is not None and uses != uses_of(share):
        changes.append(acting.limited(None if uses == -1 else uses))
    return changes


def _action(fields: Mapping[str, Any]) -> tuple[str, Change]:
    """The name and the change of a policy action. Raises `Refused`."""
    match fields.get("action"):
        case "extend_24h":
            return "share.extend", acting.extended(timedelta(hours=24))
        case "extend_7d":
            return "share.extend", acting.extended(timedelta(days=7))
        case "make_permanent":
            return "share.expire", acting.permanent
        case "reset_download_limit":
            given = next((fields[name] for name in ("downloadLimit", "download_limit") if name in fields), USES)
            uses = uses_in(given, BAD_USES_TEXT)
            if uses is None or uses < 1:
                raise Refused(400, BAD_USES_TEXT)
            return "share.limit", acting.limited(uses)
        case _:
            raise Refused(400, NO_SUCH_ACTION_TEXT)


def _note(fields: Mapping[str, Any]) -> Note:
    """The note and the tags. Raises `Refused`."""
    note, tags = fields.get("note"), fields.get("tags")
    if note is None and tags is None:
        raise Refused(400, NO_METADATA_TEXT)
    if not (note is None or isinstance(note, str)) or not (tags is None or isinstance(tags, list)):
        raise Refused(400, NO_METADATA_TEXT)
    try:
        return Note.of(note, None if tags is None else [str(tag) for tag in tags])
    except InvalidInput as error:
        raise Refused(400, error.message) from None


def _counted(verb: str, ids: Sequence[UUID], strange: Sequence[Any], outcome: Outcome) -> dict[str, Any]:
    """The counts and ids of what was done to many shares."""
    missing = [*(one.hex for one in outcome.missing), *strange]
    counts = {
        f"{verb}Count": len(outcome.done),
        "missingCount": len(missing),
        "failedCount": 0,
        "requestedCount": len(ids) + len(strange),
        "uniqueCount": len(outcome.done) + len(missing),
    }
    return {**twins(counts), verb: [one.hex for one in outcome.done], "missing": missing, "failed": []}


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _minute(seconds: float) -> int:
    return int(seconds // 60)
