"""No value in any field makes the auth service fail."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.app import create_app
from tests.integration.auth.running import PASSWORD, AuthService, Person, auth_settings
from tests.integration.wild import EXAMPLES, Call, native_calls, send, wild_requests

NATIVE = native_calls(create_app(auth_settings("postgresql://", "redis://")).openapi(), but=("/v1/auth/logout",))
DIALECTS = [
    Call("POST", "/api/register", {"username": "u", "password": PASSWORD, "email": "a@b.example"}),
    Call("POST", "/api/login", {"username": "u", "password": PASSWORD, "name": "u"}),
    Call("POST", "/api/logout", {"token": "t"}),
    Call("POST", "/api/refresh_token", {"accessToken": "t", "token": "t"}),
    Call("GET", "/api/login/token"),
    Call("GET", "/api/usercount"),
    Call("GET", "/api/user/{user}"),
    Call("POST", "/admin/login", {"password": PASSWORD}),
]
HOSTS = ("", "mirage.example", "fileuploader.example")


@pytest.fixture(scope="module")
def administrator(auth: AuthService) -> Person:
    return auth.administrator()


@EXAMPLES
@given(data=st.data())
@pytest.mark.parametrize("call", NATIVE, ids=str)
def test_no_value_is_too_wild_for_the_native_interface(administrator: Person, call: Call, data: Any) -> None:
    send(administrator.client, data.draw(wild_requests(call)))


@EXAMPLES
@given(data=st.data())
@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("call", DIALECTS, ids=str)
def test_no_value_is_too_wild_for_the_dialects(auth: AuthService, call: Call, host: str, data: Any) -> None:
    send(auth.client(host=host), data.draw(wild_requests(call)))
