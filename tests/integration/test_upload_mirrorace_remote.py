"""MirrorAce's remote upload, with a stand-in for what fetches."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from fastapi import FastAPI

from common.credentials import CredentialCache
from common.errors import Forbidden
from common.http.identities import AuthPeer, Identities
from common.http.service_tokens import TokenVerifier
from common.http.user_tokens import UserTokens
from common.passwords import Passwords
from tests.conftest import Engines, MakeDatabase
from tests.contract.mirrorace.wire import Sender, refused, succeeded
from tests.integration.running_share import served
from tests.integration.running_upload import UploadService, running_upload_service
from tests.integration.upload_contexts import Requests
from upload_service.build import Parts, build
from upload_service.compat import mirrorace
from upload_service.compat.mirrorace_steps import MirrorAce, RemoteRequest
from upload_service.model import UploadSession
from upload_service.operations import sessions, streams
from upload_service.operations.sessions import NewUpload

CONTENT = b"what is there"


class Source:
    def certain(self) -> int:
        return 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield CONTENT


@dataclass
class Fetching:
    """What fetches: it knows one content, and remembers what it was asked for."""

    parts: Parts
    asked: list[RemoteRequest] = field(default_factory=list[RemoteRequest])

    async def fetch(self, wanted: RemoteRequest) -> UploadSession:
        self.asked.append(wanted)
        if "private" in wanted.url:
            raise Forbidden("the URL leads to a private address")
        new = NewUpload("a.bin", owner=wanted.identity.account_id, mirrors=wanted.mirrors)
        session = await sessions.start_upload(self.parts.context, new)
        await streams.put_stream(self.parts.context, session, Source(), wanted.max_size)
        return await streams.finish_stream(self.parts.context, session)


@dataclass(frozen=True)
class Remote:
    """The dialect beside a running service, on the same engines; and where it has nothing that fetches."""

    service: UploadService
    fetching: Fetching
    url: str
    url_without: str


@pytest.fixture(scope="module")
def remote(make_database: MakeDatabase, engines: Engines) -> Iterator[Remote]:
    with running_upload_service(make_database, engines) as service:
        fetching, url = _dialect(service, fetches=True)
        _, url_without = _dialect(service, fetches=False)
        yield Remote(service, fetching, url, url_without)


def _dialect(service: UploadService, *, fetches: bool) -> tuple[Fetching, str]:
    parts = build(service.settings, Requests(), pool_size=2)
    fetching, passwords = Fetching(parts), Passwords()
    credentials = CredentialCache(service.settings.valkey_url.get_secret_value())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await parts.open()
        yield
        passwords.close()
        await credentials.close()
        await parts.close()

    app = FastAPI(lifespan=lifespan)
    verifier = TokenVerifier(parts.client, auth_url=service.settings.auth_url)
    app.state.identities = Identities(UserTokens(verifier.keys), credentials, AuthPeer(parts.auth))
    ace = MirrorAce(
        parts.context,
        parts.shares,
        passwords,
        max_chunk_size=10,
        max_file_size=1000,
        max_mirrors=3,
        public_url="https://files.example.org",
        fetch=fetching.fetch if fetches else None,
    )
    app.include_router(mirrorace.router(ace))
    return fetching, service.opened.enter_context(served(app))


def test_a_url_becomes_a_file_within_the_request(remote: Remote) -> None:
    person = remote.service.auth.sign_up()
    sender = Sender.of_token(person.client, remote.service.client(), person.token)
    fields = {**dict(sender.fields(sender.variables())), "url": "https://example.org/a.bin?x=1"}
    for how in ("data", "files"):
        sent = {how: fields if how == "data" else [(name, (None, value)) for name, value in fields.items()]}
        result = succeeded(sender.client.post(f"{remote.url}/api/v1/upload/remote", **sent))  # type: ignore[arg-type]
        slug = result["slug"]
        url = f"https://files.example.org/m/{slug}"
        expected = {"name": "a.bin", "size": str(len(CONTENT)), "slug": slug, "url": url, "info": "complete"}
        assert result == expected
    asked = remote.fetching.asked[-1]
    assert (asked.url, asked.mirrors, asked.max_size) == (fields["url"], (), 1000)
    assert (asked.identity.account_id, asked.terms.form) == (person.id, "page")
    made = remote.service.share.made[-1]
    assert (UUID(made["owner"]), made["form"], made["password_hash"]) == (person.id, "page", None)


def test_a_password_goes_with_it_as_a_hash(remote: Remote) -> None:
    person = remote.service.auth.sign_up()
    sender = Sender.of_token(person.client, remote.service.client(), person.token)
    fields = dict(sender.fields(sender.variables(), url="https://example.org/", file_password="secret"))
    succeeded(sender.client.post(f"{remote.url}/api/v1/upload/remote", data=fields))
    hashed = remote.service.share.made[-1]["password_hash"]
    assert hashed.startswith("$argon2id$")
    assert remote.fetching.asked[-1].terms.password_hash == hashed


def test_why_it_could_not_be_fetched_is_told(remote: Remote) -> None:
    person = remote.service.auth.sign_up()
    sender = Sender.of_token(person.client, remote.service.client(), person.token)
    fields = dict(sender.fields(sender.variables(), url="https://private.example.org/"))
    with remote.service.nothing_left():
        refused(sender.client.post(f"{remote.url}/api/v1/upload/remote", data=fields), "private address")


def test_where_nothing_fetches_that_is_told(remote: Remote) -> None:
    person = remote.service.auth.sign_up()
    sender = Sender.of_token(person.client, remote.service.client(), person.token)
    fields = dict(sender.fields(sender.variables(), url="https://example.org/"))
    answer = sender.client.post(f"{remote.url_without}/api/v1/upload/remote", data=fields)
    refused(answer, "Remote upload is not available")
