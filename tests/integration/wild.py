"""Requests with wild values in their fields: numbers, texts and structures that come by mistake or in malice.

A value is JSON text, because some of them, such as `1e400` or a lone surrogate, have no value in Python that could be
written again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_from_bytes

import httpx
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.examples import examples

EXAMPLES = settings(
    max_examples=examples(6),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NUMBERS = (
    *("1e400", "-1e400", "1e-400", "NaN", "Infinity", "-Infinity", "1.0", "1.5", "-0", "-1", "0", "1e308", "1E2"),
    *("2147483648", "9007199254740993", "9223372036854775808", "-9223372036854775809", "9" * 400, "9" * 5000),
)
TEXTS = (
    *(r'"\ud800"', r'"\udc00\ud800"', r'"\u0000"', r'"a\u0000b"', r'"\r\nX: y"', r'"\u202e"', '""', '" "', '".."'),
    *('"1e400"', '"NaN"', '"1.0"', '"1_0"', '"٣"', '"true"', '"' + "9" * 5000 + '"', '"' + "A" * 70_000 + '"'),
    *('"9999-12-31T23:59:59.999999Z"', '"0001-01-01T00:00:00+14:00"', '"1e400-01-01"', '"' + "😀" * 3000 + '"'),
)
STRUCTURES = (
    *("null", "true", "[]", "{}", "[null]", '{"":1e400}', "[1e400]", "[" * 300 + "]" * 300, "[" * 5000 + "]" * 5000),
    *('{"a":' * 300 + "1" + "}" * 300, "[" + "1," * 5000 + "1]", '{"a":1,"a":2}'),
)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
VALUES = st.sampled_from((*NUMBERS, *TEXTS, *STRUCTURES)) | TREES.map(json.dumps)
"""Texts of JSON, most of them valid."""
ENCODED = st.sampled_from(
    ("", "%00", "%ff", "%ed%a0%80", "1e400", "-1", "1.0", "9" * 20, "9" * 5000, "%0d%0a", "..", "%2e%2e%2f", "A" * 3000)
) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(lambda text: quote(text, safe=""))
"""Values that are percent-encoded, not all of them validly."""
BYTES = st.sampled_from(
    (b"\0", b"\xff", b"\xed\xa0\x80", b"1e400", b"9" * 5000, b"", b"..", b"a" * 70_000)
) | st.binary(max_size=20)

HEADERS = (
    *("Authorization", "X-Share-Password", "Range", "If-Range", "If-None-Match", "User-Agent", "Origin", "Cookie"),
    *("X-Request-Id", "X-Forwarded-For", "Content-Range", "Accept", "Accept-Encoding"),
)
ODD_HEADERS = (
    *(b"", b"bytes=1e400-", b"bytes=" + b"0-0," * 2000, b"Bearer " + b"." * 5000, b"Basic \xff", b"9" * 5000),
    b"\xff\xfe",
)
VISIBLE = st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_categories=["Cc"])
HEADER_VALUES = st.sampled_from(ODD_HEADERS) | st.text(VISIBLE, max_size=20).map(lambda text: text.encode("latin-1"))


@dataclass(frozen=True)
class Call:
    """A call of an interface, with fields that make it valid as far as they can."""

    method: str
    path: str
    """May contain `{parameters}`."""
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Of the body; empty: the call has none."""
    query: tuple[str, ...] = ()
    encodings: tuple[str, ...] = ("json",)
    """Of the body: json, form."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def parameters(self) -> list[str]:
        return [part.split("}")[0] for part in self.path.split("{")[1:]]


@st.composite
def wild_requests(draw: st.DrawFn, call: Call) -> httpx.Request:
    """A request for `call`, in which one field, parameter or header is wild, or several are."""
    path = call.path
    for name in call.parameters():
        path = path.replace(f"{{{name}}}", draw(ENCODED.filter(bool)))
    query = "&".join(f"{name}={draw(ENCODED)}" for name in call.query)
    headers = {name: text.encode() for name, text in call.headers.items()}
    if draw(st.integers(0, 3)) == 0:
        headers[draw(st.sampled_from(HEADERS))] = draw(HEADER_VALUES)
    content = b""
    if call.fields:
        encoding = draw(st.sampled_from(call.encodings))
        wild = draw(st.sets(st.sampled_from(sorted(call.fields)), min_size=1, max_size=2))
        if encoding == "json":
            content = _object(call.fields, {name: draw(VALUES) for name in sorted(wild)})
            headers["Content-Type"] = b"application/json"
        else:
            content = _form(call.fields, {name: draw(BYTES) for name in sorted(wild)})
            headers["Content-Type"] = b"application/x-www-form-urlencoded"
    elif call.method != "GET":
        content = draw(VALUES).encode()
        headers["Content-Type"] = b"application/json"
    url = f"http://service{path}{'?' if query else ''}{query}"
    encoded = [(name.encode(), value) for name, value in headers.items()]
    return httpx.Request(call.method, url, headers=encoded, content=content)


def send(client: httpx.Client, request: httpx.Request) -> httpx.Response:
    """The answer to a wild request: no failure of the service, and a problem if it is an error of the native API."""
    target = request.url.raw_path.decode()
    headers = [(name, value) for name, value in request.headers.raw if name.lower() not in (b"host", b"content-length")]
    answer = client.request(request.method, target, headers=headers, content=request.content)
    assert answer.status_code < 500, (request.method, target[:200], request.content[:300], answer.text[:300])
    if target.startswith("/v1/") and answer.is_error:
        assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer


def native_calls(document: dict[str, Any], but: tuple[str, ...] = ()) -> list[Call]:
    """All calls that an OpenAPI document describes, except those of the paths `but`."""
    calls: list[Call] = []
    for path, operations in document["paths"].items():
        if not path.startswith("/v1") or path in but:
            continue
        for method, operation in operations.items():
            query = tuple(given["name"] for given in operation.get("parameters", []) if given["in"] == "query")
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            calls.append(Call(method.upper(), path, _sample(body), query))
    return calls


def _sample(schema: dict[str, Any]) -> dict[str, Any]:
    """Values for all properties of an object, of the type that its schema names first."""
    samples: dict[str, Any] = {"string": "a" * 8, "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}
    found: dict[str, Any] = {}
    for name, property_ in schema.get("properties", {}).items():
        kinds = [property_, *property_.get("anyOf", [])]
        kind = next((kind["type"] for kind in kinds if "type" in kind), "string")
        enum = next((kind["enum"] for kind in kinds if "enum" in kind), None)
        found[name] = enum[0] if enum else samples.get(kind)
    return found


def _object(fields: Mapping[str, Any], wild: Mapping[str, str]) -> bytes:
    members = {name: json.dumps(value) for name, value in fields.items()} | dict(wild)
    return ("{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in members.items()) + "}").encode()


def _form(fields: Mapping[str, Any], wild: Mapping[str, bytes]) -> bytes:
    values = {name: str(value).encode() for name, value in fields.items()} | dict(wild)
    return "&".join(f"{quote(name)}={quote_from_bytes(value)}" for name, value in values.items()).encode()
