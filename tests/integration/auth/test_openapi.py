"""The OpenAPI document of the auth service."""

import httpx

from tests.integration.auth.running import AuthService


def test_the_api_is_documented(auth: AuthService) -> None:
    document = httpx.get(f"{auth.url}/v1/openapi/auth.json").json()
    paths = document["paths"]
    assert {"/v1/auth/login", "/v1/account", "/v1/account/keys", "/v1/accounts", "/v1/signing-keys"} <= set(paths)
    assert not any(path.startswith(("/internal", "/api")) for path in paths)
    login = paths["/v1/auth/login"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(login["required"]) == {"name", "password"}
    assert {"token", "api_key"} <= set(document["components"]["securitySchemes"])
