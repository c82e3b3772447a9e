"""Reading what the pages of the administration ask for."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from fastapi import Request

from common.dialects.filecodebox import ZONE, FieldError, Refused, int_field
from common.ids import parse_id

UNKNOWN_TEXT = "文件不存在"
BAD_DATE_TEXT = "过期时间格式错误"
IDS_AT_MOST = 1000


def query_int(request: Request, name: str, default: int) -> int:
    """A number in the query. Raises `FieldError`."""
    try:
        return int_field(dict(request.query_params), name, default)
    except FieldError as error:
        raise FieldError("int_parsing", ["query", name], error.message, request.query_params[name]) from None


def id_of(fields: Mapping[str, Any], *, where: str = "body") -> UUID:
    """The share that is meant. Raises `FieldError` without an id, and `Refused` for one that no share has."""
    value = fields.get("id")
    if value is None:
        raise FieldError("missing", [where, "id"], "Field required")
    found = parse_id(value) if isinstance(value, str) else None
    if found is None:
        raise Refused(404, UNKNOWN_TEXT)
    return found


def ids_of(fields: Mapping[str, Any], empty: str) -> tuple[list[UUID], list[Any]]:
    """The shares that are meant, and those ids that no share can have. Raises `Refused` with the text `empty`."""
    values = fields.get("ids")
    if values is None:
        raise FieldError("missing", ["body", "ids"], "Field required")
    if not isinstance(values, list):
        raise FieldError("list_type", ["body", "ids"], "Input should be a valid list")
    given = cast("list[Any]", values)
    if not given:
        raise Refused(400, empty)
    if len(given) > IDS_AT_MOST:
        raise Refused(400, f"At most {IDS_AT_MOST} files at once")
    found, strange = list[UUID](), list[Any]()
    for value in given:
        parsed = parse_id(value) if isinstance(value, str) else None
        if parsed is None:
            strange.append(value)
        else:
            found.append(parsed)
    return found, strange


def moment_of(value: Any) -> datetime | None:
    """The time that a page wrote; None if it is empty. One without a zone is in the zone of the answers.

    Raises `Refused`.
    """
    if value in (None, ""):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=ZONE)).astimezone(ZONE)
    except (ValueError, TypeError, OverflowError):
        raise Refused(400, BAD_DATE_TEXT) from None


def uses_in(value: Any, text: str) -> int | None:
    """A number of downloads that a page wrote: -1 for any number; None if it is empty. Raises `Refused`."""
    if value in (None, ""):
        return None
    try:
        uses = int_field({"value": value}, "value")
    except FieldError:
        raise Refused(400, text) from None
    if not -1 <= uses < 2**31:
        raise Refused(400, text)
    return uses
