"""FileCodeBox: the steps and the errors that its ways of uploading have in common."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Request, Response

from common.dialects import filecodebox as dialect
from common.dialects.filecodebox import FieldError, FileCodeBoxRoute, Refused, both
from common.errors import Conflict, DomainError, InvalidInput, TooLarge
from common.http.callers import ignoring_errors
from common.http.forms import FilePart, FormStream, read_fields
from common.identity import Identity
from common.policy import Policy, SizeRefused
from upload_service.content import sessions
from upload_service.content.completing import DigestMismatch, PartsMissing
from upload_service.content.model import PartIndexInvalid, UploadSession
from upload_service.content.sessions import SessionExpired, SessionNotFound
from upload_service.content.storing import PartLengthWrong
from upload_service.context import Context

SESSION_TEXT = "Upload session not found"
MISMATCH_TEXT = "文件大小与声明不符"

Store = Callable[[FilePart, int], Awaitable[int]]
"""Stores a form's file, which is no longer than a number of bytes; returns its size."""
Endpoint = TypeVar("Endpoint", bound=Callable[..., Coroutine[Any, Any, Response]])


class UploadRoute(FileCodeBoxRoute):
    """A route of uploads in several requests, which says in the dialect's words what can go wrong with a session."""

    expired_text = SESSION_TEXT

    def rendered(self, request: Request, error: DomainError) -> Response:
        return super().rendered(request, self._in_own_words(error))

    def _in_own_words(self, error: DomainError) -> DomainError:
        match error:
            case SessionExpired():
                return Refused(404, self.expired_text)
            case SessionNotFound():
                return Refused(404, SESSION_TEXT)
            case PartIndexInvalid():
                return Refused(400, "Invalid chunk index")
            case PartLengthWrong() if error.actual > error.expected:
                return Refused(400, f"分片大小超过声明值: 最大 {error.expected}, 实际 {error.actual}")
            case PartLengthWrong():
                return Refused(400, f"分片大小小于声明值: 应为 {error.expected}, 实际 {error.actual}")
            case PartsMissing():
                return Refused(400, "Incomplete chunks")
            case DigestMismatch():
                return Refused(400, "File hash mismatch")
            case _:
                return error


@dataclass(frozen=True, slots=True)
class Admitted:
    """The policy that an upload has to keep to, and its sender."""

    policy: Policy
    identity: Identity | None
    """None: nobody. The dialect's own pages send headers that mean nothing here."""

    @property
    def owner(self) -> UUID | None:
        return self.identity.account_id if self.identity else None


def route(router: APIRouter, method: str, path: str) -> Callable[[Endpoint], Endpoint]:
    """Decorates the endpoint of a path in all the spellings that clients use."""

    def register(endpoint: Endpoint) -> Endpoint:
        for variant in both(path):
            router.add_api_route(variant, endpoint, methods=[method], response_class=Response)
        return endpoint

    return register


async def admit(context: Context, request: Request) -> Admitted:
    """The sender of the request. Raises `Refused` unless the policy lets it upload."""
    policy = await context.shares.policy()
    identity = await ignoring_errors(request)
    dialect.check_open(policy, request.headers.get("authorization"), identity)
    return Admitted(policy, identity)


async def small_fields(request: Request) -> dict[str, Any]:
    """The fields of a body without a file. Raises `Refused` (400)."""
    try:
        return await read_fields(request)
    except (InvalidInput, TooLarge):
        raise Refused(400, "请求体格式错误") from None


def form_of(request: Request) -> FormStream:
    """The form that carries a file. Raises `FieldError`."""
    try:
        return FormStream(request)
    except InvalidInput:
        raise FieldError("missing", ["body", "file"], "Field required") from None


async def store_file(store: Store, part: FilePart, limit: int, policy: Policy) -> int:
    """Store a form's file by `store`; its size. Raises `SizeRefused` beyond the policy's limit.

    `limit`: the longest that the file may be for other reasons; beyond it raises `Refused`.
    """
    try:
        return await store(part, min(limit, policy.upload_size))
    except TooLarge:
        if limit < policy.upload_size:
            raise Refused(400, MISMATCH_TEXT) from None
        raise SizeRefused(policy.upload_size) from None


async def abort_upload(context: Context, session: UploadSession) -> None:
    """Abort an upload. Raises `SessionNotFound`, and `Refused` (409) when it is complete."""
    try:
        await sessions.abort_upload(context, session.id)
    except Conflict:
        raise Refused(409, "Upload already completed") from None
