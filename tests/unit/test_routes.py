"""The services' routes, compared with the gateway's, with the OpenAPI documents and with File Uploader's list."""

import fnmatch
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Match, Route

from common.dialects import fileuploader
from common.http.matching import NO_MATCH
from deploy.local import binaries, gateway
from deploy.reference.apps import without_engines

DIALECTS = ("filecodebox", "fileuploader", "mirage", "mirrorace")
EVERY_HOST = ""
"""Stands for all host names that do not belong to one dialect."""
GROUPS = {
    *("/api/create_group", "/api/delete_group/{group_id}", "/api/generate_invite/{group_id}", "/api/join/{link}"),
    *("/api/invite_info/{link}", "/api/leave/{group_id}"),
}
"""File Uploader's calls on groups. This system has no groups, so these calls need no credentials."""


@dataclass(frozen=True, slots=True)
class Served:
    """A route of a service."""

    service: str
    path: str
    """The pattern, with parameters in braces."""
    methods: frozenset[str]
    """The HTTP methods; empty for a WebSocket."""
    module: str
    pattern: re.Pattern[str]

    def example(self) -> str:
        return re.sub(r"\{[^}]*\}", "1", self.path)

    def belongs_to(self, dialect: str) -> bool:
        """Whether it is defined in a module of that dialect, such as `dialects.mirrorace.upload` or `mirage_inbox`."""
        return any(part.partition("_")[0] == dialect for part in self.module.split("."))


@dataclass(frozen=True, slots=True)
class Rule:
    """Paths that the gateway sends to a service."""

    service: str
    paths: tuple[str, ...]
    methods: tuple[str, ...]
    """The HTTP methods; empty for all."""
    pattern: str = ""
    """A regular expression that stands for paths in place of `paths`."""
    headers: tuple[tuple[str, str], ...] = ()
    """The headers that a request must have, and what their values contain."""
    yields: bool = False
    """Whether it only takes what no other rule takes."""
    within: tuple[str, ...] = ()
    """The paths that come to it; empty: all do."""

    def takes(self, method: str, path: str, headers: Mapping[str, str]) -> bool:
        if self.within and not any(_matches(path, each) for each in self.within):
            return False
        if (self.methods and method not in self.methods) or not self._has(path):
            return False
        return all(part in headers.get(name, "").lower() for name, part in self.headers)

    def _has(self, path: str) -> bool:
        if self.pattern:
            return re.search(self.pattern, path) is not None
        return any(_matches(path, each) for each in self.paths)


def _matches(path: str, pattern: str) -> bool:
    """Whether Caddy's `path` matcher matches a path. The Caddyfile uses no wildcard but a star at the end."""
    assert "*" not in pattern[:-1]
    return fnmatch.fnmatchcase(path.lower(), pattern.lower())


@pytest.fixture(scope="module")
def apps() -> dict[str, FastAPI]:
    return without_engines()


@pytest.fixture(scope="module")
def served(apps: dict[str, FastAPI]) -> list[Served]:
    """All routes that clients may reach."""
    found = [
        Served(
            service=service,
            path=route.path,
            methods=frozenset(route.methods or ()),
            module=route.endpoint.__module__ if route.endpoint else "",
            pattern=route.path_regex,
        )
        for service, app in apps.items()
        for route in iter_route_contexts(app.routes)
        if route.path is not None
    ]
    return [route for route in found if not route.path.startswith("/internal/")]


@pytest.fixture(scope="module")
def routes() -> list[dict[str, Any]]:
    """The gateway's routes, as Caddy itself reads the Caddyfile."""
    adapted = subprocess.run(
        [str(binaries.caddy()), "adapt", "--config", str(gateway.CADDYFILE), "--adapter", "caddyfile"],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        capture_output=True,
        check=True,
    )
    (server,) = json.loads(adapted.stdout)["apps"]["http"]["servers"].values()
    return server["routes"]


@pytest.fixture(scope="module")
def rules(routes: list[dict[str, Any]]) -> dict[str, list[Rule]]:
    """The gateway's rules by dialect; where several match, the last one holds."""
    found: dict[str, list[Rule]] = {}
    for host, rule in _rules(routes, EVERY_HOST):
        found.setdefault(host, []).append(rule)
    return found


def _rules(routes: list[dict[str, Any]], host: str, within: tuple[str, ...] = ()) -> Iterator[tuple[str, Rule]]:
    for route in routes:
        (match,) = route.get("match", [{}])
        named: str = match.get("header_regexp", {}).get("Host", {}).get("pattern", "")
        here = named.removeprefix("(?i)^").removesuffix("\\.") or host
        for handler in route.get("handle", ()):
            if handler["handler"] == "vars" and "service" in handler:
                yield here, _rule(handler["service"], match, within)
            yield from _rules(handler.get("routes", []), here, tuple(match.get("path", within)))


def _rule(service: str, match: dict[str, Any], within: tuple[str, ...]) -> Rule:
    own = {"path", "method", "path_regexp", "header", "header_regexp", "not"}
    assert set(match) <= own, match
    headers = {name: value.strip("*") for name, (value,) in match.get("header", {}).items()}
    if by_name := match.get("header_regexp"):
        assert list(by_name) == ["User-Agent"]
        assert re.match(by_name["User-Agent"]["pattern"], "curl/8.0")
        headers["User-Agent"] = "curl"
    assert match.get("not", []) in ([], [{"vars_regexp": {"service": {"pattern": "."}}}])
    return Rule(
        service,
        tuple(match.get("path", ())),
        tuple(match.get("method", ())),
        match.get("path_regexp", {}).get("pattern", ""),
        tuple(headers.items()),
        yields="not" in match,
        within=within,
    )


def _matches_of(routes: Any) -> Iterator[dict[str, Any]]:
    """All sets of matchers, at any depth."""
    if isinstance(routes, list):
        for each in routes:
            yield from _matches_of(each)
    elif isinstance(routes, dict):
        yield from routes.get("match", ()) if isinstance(routes.get("match"), list) else ()
        for each in routes.values():
            yield from _matches_of(each)


def routed(rules: list[Rule], method: str, path: str, headers: Mapping[str, str] | None = None) -> str | None:
    """The service that a request with these headers reaches."""
    found = [rule for rule in rules if rule.takes(method, path, headers or {})]
    named = [rule.service for rule in found if not rule.yields]
    return [*(rule.service for rule in found), *named][-1] if found else None


def test_a_request_is_compared_with_routes_that_begin_like_it_and_with_the_same_result(
    apps: dict[str, FastAPI], served: list[Served]
) -> None:
    paths = {path + end for route in served for path in [route.example()] for end in ("", "/", "1")} | {"/", "", "/v1"}
    for app in apps.values():
        routes = [route for route in app.routes if isinstance(route, Route)]
        for path in paths:
            scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "app": app, "headers": []}
            for route in routes:
                beginning = route.path.partition("{")[0]
                if route.matches(scope) is NO_MATCH:
                    assert Route.matches(route, scope)[0] is Match.NONE, (route.path, path)
                else:
                    assert path.startswith(beginning), (route.path, path)


def test_the_gateway_knows_the_dialects_host_names(rules: dict[str, list[Rule]]) -> None:
    assert set(rules) == {EVERY_HOST, *DIALECTS}


def test_every_route_is_reached_through_the_gateway(served: list[Served], rules: dict[str, list[Rule]]) -> None:
    assert len(served) > 150
    for route in served:
        for method in route.methods or {"GET"}:
            headers = {"User-Agent": "curl/8", "Content-Type": "multipart/form-data"} if is_of_curl(route) else None
            reached = routed(rules[EVERY_HOST], method, route.example(), headers)
            assert reached == route.service, f"{method} {route.path}"


def test_a_native_request_is_compared_with_native_rules_alone(rules: dict[str, list[Rule]]) -> None:
    native = [rule for rule in rules[EVERY_HOST] if any(path.startswith("/v1/") for path in rule.paths)]
    assert {rule.within for rule in native} == {("/v1/*",)}


def test_files_are_looked_up_only_for_what_all_other_matchers_let_pass(routes: list[dict[str, Any]]) -> None:
    """Caddy tries the matchers of one set in any order."""
    looking = [match for match in _matches_of(routes) if "file" in match]
    assert looking
    assert [set(match) for match in looking] == [{"file"}] * len(looking)


def is_of_curl(route: Served) -> bool:
    return ".dialects.curl" in route.module


@pytest.mark.parametrize(
    ("method", "path", "service"),
    [
        *(("PUT", "/a.txt", "upload"), ("PUT", "/", "upload"), ("PUT", "/a/b", None), ("POST", "/a", None)),
        *(("GET", "/a.txt", None), ("GET", "/c/ABCDE", "share"), ("DELETE", "/c/ABCDE/key", "share")),
        # A name that is taken is no file.
        *(("PUT", "/health", "share"), ("PUT", "/robots.txt", "share"), ("PUT", "/api", "share")),
    ],
)
def test_a_file_has_one_segment_that_nobody_else_has(
    rules: dict[str, list[Rule]], method: str, path: str, service: str | None
) -> None:
    assert routed(rules[EVERY_HOST], method, path) == service


@pytest.mark.parametrize(
    ("method", "headers", "service"),
    [
        ("GET", {"User-Agent": "curl/7.88.1"}, "upload"),
        ("GET", {"User-Agent": "Mozilla/5.0"}, None),
        ("POST", {"Content-Type": "multipart/form-data; boundary=x"}, "upload"),
        ("POST", {"Content-Type": "application/json"}, "share"),
        ("POST", {}, "share"),
    ],
)
def test_the_bare_address_is_shared_by_method_and_client(
    rules: dict[str, list[Rule]], method: str, headers: dict[str, str], service: str | None
) -> None:
    assert routed(rules[EVERY_HOST], method, "/", headers) == service


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_dialects_routes_are_reached_under_its_own_host_name(
    dialect: str, served: list[Served], rules: dict[str, list[Rule]]
) -> None:
    own = [route for route in served if route.belongs_to(dialect)]
    assert own
    for route in own:
        for method in route.methods:
            assert routed(rules[dialect], method, route.example()) == route.service, f"{method} {route.path}"


def test_every_path_of_the_gateway_is_served(served: list[Served], rules: dict[str, list[Rule]]) -> None:
    for host, rule in ((host, rule) for host, each in rules.items() for rule in each):
        for path in rule.paths:
            assert any(_serves(route, path) for route in served if route.service == rule.service), (host, path)


def _serves(route: Served, path: str) -> bool:
    if path.endswith("*"):
        return _matches(route.example(), path)
    return route.pattern.match(path) is not None


def test_the_native_api_is_documented_and_the_documents_are_reached(
    apps: dict[str, FastAPI], served: list[Served], rules: dict[str, list[Rule]]
) -> None:
    for service, app in apps.items():
        documented = set(app.openapi()["paths"])
        native = {
            route.path
            for route in served
            if route.service == service and route.path.startswith("/v1/") and route.methods
        }
        assert native - documented == {app.openapi_url}
        assert documented < native
        for path in documented:
            assert routed(rules[EVERY_HOST], "POST", path) == service, path


def test_the_documents_have_the_errors_of_every_call(apps: dict[str, FastAPI]) -> None:
    for app in apps.values():
        document = app.openapi()
        assert "HTTPValidationError" not in str(document)
        assert set(document["components"]["schemas"]["Problem"]["required"]) == {
            *("type", "title", "status", "detail", "code")
        }
        for path, calls in document["paths"].items():
            for call in calls.values():
                answers = call["responses"]
                failures = {status for status in answers if status == "default" or status >= "400"}
                assert {"503", "default"} <= failures
                assert "404" in failures or "{" not in path
                assert {"400", "408", "413"} <= failures or "requestBody" not in call
                assert {"401", "403"} <= failures or not call.get("security")
                for status in failures:
                    assert set(answers[status]["content"]) == {"application/problem+json"}, (path, status)


def test_file_uploaders_calls_are_those_that_pages_may_send_with_credentials(
    apps: dict[str, FastAPI], served: list[Served], rules: dict[str, list[Rule]]
) -> None:
    calls = [
        route
        for route in served
        if route.path.startswith("/api/") and routed(rules["fileuploader"], "POST", route.example()) == route.service
    ]
    listed = [route for route in calls if route.path.startswith(fileuploader.API_PATHS)]
    assert {route.path for route in calls} - {route.path for route in listed} == GROUPS
    for prefix in fileuploader.API_PATHS:
        assert any(route.path.startswith(prefix) for route in listed), prefix
    for service in {route.service for route in listed}:
        options = [middleware.kwargs.get("credentialed_paths") for middleware in apps[service].user_middleware]
        assert fileuploader.API_PATHS in options, service
