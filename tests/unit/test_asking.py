"""The gateway's question whether a body is wanted that a client holds back, as a service answers it."""

import asyncio

import httpx
import pytest
from fastapi import APIRouter, Request

from common.errors import TooLarge
from common.http.app import create_app
from common.http.bodies import read_body
from common.settings import GatewaySettings
from tests.through_gateway import TOKEN, coming_from

router = APIRouter()
broken_off: list[str] = []


@router.get("/thing")
async def look() -> str:
    return "looked"


@router.put("/thing")
async def write(request: Request) -> str:
    try:
        return (await read_body(request, 10)).decode()
    except asyncio.CancelledError:
        broken_off.append(request.url.path)
        raise


@router.post("/thing")
async def refuse() -> None:
    raise TooLarge


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = create_app(
        name="test",
        settings=GatewaySettings.model_validate({"gateway_token": TOKEN}),
        lifespan=lambda _: pytest.fail("nothing is started here"),
        routers=(router,),
        checks={},
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


def question(method: str, length: str = "5") -> dict[str, str]:
    return {**coming_from("198.51.100.7"), "X-Body-Method": method, "X-Body-Length": length}


@pytest.mark.parametrize("length", ["5", ""], ids=["with a length", "without"])
async def test_a_body_is_wanted_when_the_service_begins_to_read_it(client: httpx.AsyncClient, length: str) -> None:
    broken_off.clear()
    answer = await client.get("/thing", headers=question("PUT", length))
    assert (answer.status_code, answer.headers["x-body-wanted"]) == (204, "1")
    # What the service had begun is over before the request itself comes.
    assert broken_off == ["/thing"]


@pytest.mark.parametrize(("method", "length", "status"), [("PUT", "11", 413), ("POST", "5", 413), ("PATCH", "5", 405)])
async def test_an_answer_without_reading_is_the_clients(
    client: httpx.AsyncClient, method: str, length: str, status: int
) -> None:
    answer = await client.get("/thing", headers=question(method, length))
    assert answer.status_code == status
    assert "x-body-wanted" not in answer.headers


async def test_nobody_but_the_gateway_asks(client: httpx.AsyncClient) -> None:
    answer = await client.get("/thing", headers={**question("PUT"), "X-Gateway-Token": "another"})
    assert answer.json() == "looked"
