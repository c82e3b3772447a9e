"""What the one middleware and the error handlers of every service do to answers."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
import structlog
from fastapi import APIRouter, Request, Response, WebSocket
from fastapi.responses import JSONResponse, StreamingResponse

from common import statistics
from common.errors import DomainError, NotFound, StorageFull, Unavailable
from common.http.app import create_app
from common.http.measuring import REQUESTS
from common.http.problems import DialectRoute
from common.settings import GatewaySettings

ORIGIN = {"Origin": "https://elsewhere.example"}


class OwnRoute(DialectRoute):
    """A route of a dialect whose errors are `{"own": …}`."""

    def rendered(self, request: Request, error: DomainError) -> Response:
        return JSONResponse({"own": error.code, "number": request.path_params.get("number")}, 418)

    def wrong_method(self, detail: str) -> dict[str, Any]:
        return {"own": detail}


native, foreign = APIRouter(prefix="/native"), APIRouter(prefix="/foreign", route_class=OwnRoute)


@native.get("/number/{number}")
@foreign.get("/number/{number}")
async def missing(number: int) -> None:
    raise NotFound


@native.get("/broken")
@foreign.get("/broken")
async def broken() -> None:
    raise ZeroDivisionError


@native.get("/breaks-off")
async def breaks_off() -> StreamingResponse:
    async def blocks() -> AsyncGenerator[bytes]:
        yield b"one"
        raise ZeroDivisionError

    return StreamingResponse(blocks())


@native.websocket("/socket")
async def names_itself(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(structlog.contextvars.get_contextvars()["request_id"])
    await socket.close()


@native.get("/fails/{error}")
async def fails(error: str) -> None:
    raise {"full": StorageFull, "down": Unavailable}[error]


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = create_app(
        name="test",
        settings=GatewaySettings.model_validate({}),
        lifespan=lambda _: pytest.fail("nothing is started here"),
        routers=(native, foreign),
        checks={},
        credentialed_paths=("/foreign/broken",),
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def test_a_route_decides_how_its_errors_look(client: httpx.AsyncClient) -> None:
    answers = [await client.get(f"/{kind}/number/1") for kind in ("native", "foreign")]
    assert [answer.status_code for answer in answers] == [404, 418]
    assert answers[0].json()["code"] == "not_found"
    assert answers[1].json() == {"own": "not_found", "number": "1"}
    answers = [await client.get(f"/{kind}/number/x") for kind in ("native", "foreign")]
    assert [answer.status_code for answer in answers] == [422, 418]
    assert answers[1].json()["own"] == "invalid_input"
    answers = [await client.post(f"/{kind}/number/1") for kind in ("native", "foreign")]
    assert [answer.status_code for answer in answers] == [405, 405]
    assert answers[0].json()["code"] == "http"
    assert answers[1].json() == {"own": "Method Not Allowed"}
    assert (await client.get("/nowhere")).json()["code"] == "http"


@pytest.mark.parametrize("kind", ["native", "foreign"])
async def test_an_unexpected_error_is_answered_and_tells_nothing(client: httpx.AsyncClient, kind: str) -> None:
    answer = await client.get(f"/{kind}/broken", headers={"X-Request-Id": "the request", **ORIGIN})
    assert (answer.status_code, answer.json()) == (500, {"detail": "Internal Server Error"})
    assert answer.headers["x-request-id"] == "the request"
    assert answer.headers["access-control-allow-origin"] in ("*", ORIGIN["Origin"])


async def test_a_request_without_an_id_gets_one(client: httpx.AsyncClient) -> None:
    ids = [(await client.get("/native/number/1")).headers["x-request-id"] for _ in range(2)]
    assert len(set(ids)) == 2
    assert all(len(one) == 32 for one in ids)


async def test_the_gateway_is_told_the_pattern_of_the_route(client: httpx.AsyncClient) -> None:
    paths = {"/native/number/1": "/native/number/{number}", "/native/broken": "/native/broken", "/nowhere": "unknown"}
    for path, route in paths.items():
        assert (await client.get(path)).headers["x-route"] == route


async def test_the_line_of_the_server_about_an_answer_that_breaks_off_has_the_id(client: httpx.AsyncClient) -> None:
    async def served() -> str:
        with pytest.raises(ZeroDivisionError):
            await client.get("/native/breaks-off", headers={"X-Request-Id": "the request"})
        return structlog.contextvars.get_contextvars()["request_id"]

    # The server gives each request a task, and writes its line there.
    assert await asyncio.create_task(served()) == "the request"


async def test_lines_about_a_socket_have_its_id(client: httpx.AsyncClient) -> None:
    transport = client._transport
    assert isinstance(transport, httpx.ASGITransport)
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": "/native/socket",
        "query_string": b"",
        "subprotocols": [],
        "headers": [(b"x-request-id", b"the request")],
    }
    await asyncio.ensure_future(transport.app(scope, receive, send))
    assert [message["text"] for message in sent if "text" in message] == ["the request"]


async def test_pages_of_any_origin_may_call_and_credentials_are_only_for_some_paths(client: httpx.AsyncClient) -> None:
    wanted = {**ORIGIN, "Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "x-own"}
    for path, origin, credentials in (
        ("/native/broken", "*", None),
        ("/foreign/broken", ORIGIN["Origin"], "true"),
    ):
        for answer in (await client.options(path, headers=wanted), await client.get(path, headers=ORIGIN)):
            assert answer.headers["access-control-allow-origin"] == origin
            assert answer.headers.get("access-control-allow-credentials") == credentials
            assert answer.headers["vary"].startswith("Origin")
            assert len(answer.headers["x-request-id"]) == 32
        preflight = await client.options(path, headers=wanted)
        assert preflight.status_code == 200
        assert "DELETE" in preflight.headers["access-control-allow-methods"]
        assert preflight.headers["access-control-allow-headers"] == "x-own"
    assert "access-control-allow-origin" not in (await client.get("/native/broken")).headers


@pytest.mark.parametrize(("error", "status", "kind", "failures"), [("full", 507, "507", []), ("down", 503, "5xx", [1])])
async def test_a_refusal_for_want_of_room_is_no_failure(
    client: httpx.AsyncClient, error: str, status: int, kind: str, failures: list[int]
) -> None:
    """An account whose quota is used up, and whose client tries again and again, must not alarm anybody."""
    statistics.TALLY.take()
    assert (await client.get(f"/native/fails/{error}")).status_code == status
    assert list(statistics.TALLY.take().values()) == failures
    assert any(f'route="/native/fails/{{error}}",status="{kind}"' in line for line in REQUESTS.lines())
