"""What the other services ask of this one."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, Field

from common import clock
from common.http.internal import internal_only
from common.policy import Policy
from common.tokens.services import TokenVerifier
from share_service import operations
from share_service.context import state_of
from share_service.shares import queries
from share_service.shares.model import EndedFor, Form, Naming, Terms

# PostgreSQL cannot keep a NUL in a text. Longer than any name that the upload service lets pass.
Text = Annotated[str, Field(min_length=1, max_length=8192, pattern=r"^[^\x00]*$")]


class ShareRequest(BaseModel):
    """A file to be shared. `size` in bytes; `expires_at` None: never; `uses` None: any number; `owner` None: nobody's.

    `extension`: what a link is to end in, such as `.mp4`; left out where it is no such thing. `password_hash`: of the
    share's own password (Argon2id, in PHC string format).
    """

    origin: Text
    file_id: UUID
    name: Text
    size: Annotated[int, Field(ge=0)]
    expires_at: AwareDatetime | None
    uses: Annotated[int, Field(ge=1, le=2**31 - 1)] | None
    owner: UUID | None = None
    form: Form = "code"
    extension: str = ""
    password_hash: Annotated[str, Field(max_length=512, pattern=r"^\$argon2id\$[!-~]+$")] | None = None


class ShareAnswer(BaseModel):
    """The share, its code or what stands in its link, and the key by which whoever has it may end it."""

    id: UUID
    code: str
    delete_key: str
    created_at: AwareDatetime


class Files(BaseModel):
    """Files whose shares are to end. `ended_for`: who deleted them, or what for; None: nobody did."""

    file_ids: Annotated[list[UUID], Field(max_length=10_000)]
    ended_for: EndedFor | None = None


class Shares(BaseModel):
    """Shares that are to end."""

    share_ids: Annotated[list[UUID], Field(max_length=10_000)]


class NewName(BaseModel):
    """What a file is called from now on."""

    file_id: UUID
    name: Text


class Done(BaseModel):
    """Nothing more to say."""


class HeldRequest(BaseModel):
    """Files that may no longer be wanted."""

    file_ids: Annotated[list[UUID], Field(max_length=10_000)]


class HeldAnswer(BaseModel):
    """Those of the files that a share still holds."""

    held: list[UUID]


def routes(verifier: TokenVerifier) -> APIRouter:
    """The routes, for the upload service alone."""
    router = _router(verifier, "upload")
    router.add_api_route("/policy", read_policy, methods=["GET"])
    router.add_api_route("/shares", create_share, methods=["POST"])
    router.add_api_route("/shares/held", list_held, methods=["POST"])
    router.add_api_route("/shares/end", end_shares, methods=["POST"])
    router.add_api_route("/shares/rename", rename_shares, methods=["POST"])
    return router


def account_routes(verifier: TokenVerifier) -> APIRouter:
    """The routes for the auth service alone."""
    router = _router(verifier, "auth")
    router.add_api_route("/accounts/{account_id}", erase_account, methods=["DELETE"])
    return router


def room_routes(verifier: TokenVerifier) -> APIRouter:
    """The routes for the chat service alone."""
    router = _router(verifier, "chat")
    router.add_api_route("/shares/revoke", revoke_shares, methods=["POST"])
    return router


def _router(verifier: TokenVerifier, caller: str) -> APIRouter:
    check = Depends(internal_only(lambda: verifier, caller))
    return APIRouter(prefix="/internal", dependencies=[check], include_in_schema=False)


async def read_policy(request: Request) -> Policy:
    """What is allowed at present."""
    return await state_of(request).policy.current()


async def create_share(request: Request, wanted: ShareRequest) -> ShareAnswer:
    """Share a file; the same `origin` always gets the same answer."""
    state = state_of(request)
    policy = await state.policy.current()
    async with state.database.transaction() as connection:
        made = await operations.share_file(
            connection,
            origin=wanted.origin,
            file_id=wanted.file_id,
            name=wanted.name,
            size=wanted.size,
            terms=Terms(wanted.expires_at, wanted.uses),
            naming=Naming(wanted.form, policy.numeric_codes, wanted.extension),
            owner=wanted.owner,
            password_hash=wanted.password_hash,
            now=clock.now(),
        )
    return ShareAnswer(
        id=made.id, code=made.code, delete_key=state.delete_keys.key(made.id), created_at=made.created_at
    )


async def list_held(request: Request, asked: HeldRequest) -> HeldAnswer:
    """Which of the files some share has not given back yet."""
    async with state_of(request).database.connection() as connection:
        return HeldAnswer(held=await queries.held_files(connection, asked.file_ids))


async def end_shares(request: Request, asked: Files) -> Done:
    """End every share of these files, also those that are made meanwhile."""
    state, ended = state_of(request), 1
    while ended:
        async with state.database.transaction() as connection:
            ended = await operations.end_shares_of_files(connection, asked.file_ids, clock.now(), asked.ended_for)
    return Done()


async def revoke_shares(request: Request, asked: Shares) -> Done:
    """End the shares that were posted in a room; asked again, nothing more happens."""
    async with state_of(request).database.transaction() as connection:
        await operations.revoke_shares(connection, asked.share_ids, clock.now())
    return Done()


async def rename_shares(request: Request, asked: NewName) -> Done:
    """Let the shares of a file say its new name."""
    async with state_of(request).database.transaction() as connection:
        await queries.rename_shares(connection, asked.file_id, asked.name)
    return Done()


async def erase_account(request: Request, account_id: UUID) -> Done:
    """End all shares of an account; asked again, it ends what was made meanwhile."""
    state, ended = state_of(request), 1
    while ended:
        async with state.database.transaction() as connection:
            ended = await operations.end_shares_of_owner(connection, account_id, clock.now())
    return Done()
