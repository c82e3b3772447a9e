"""The OpenAPI documents of the services, merged into one (OpenAPI 3.1)."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from common.version import VERSION

TAGS = {
    "site": "What this place is and allows.",
    "shares": "Several files and texts under one code, and every other way to give a file to others.",
    "codes": "What a code holds, and its downloads.",
    "links": "Somebody's link.",
    "pages": "Somebody's page.",
    "uploads": "Resumable uploads by tus 1.0.0.",
    "files": "The files of an account.",
    "mirrors": "Copies of files on other servers.",
    "fetches": "Files that the system fetches from a URL.",
    "webhooks": "URLs that are called when something happens to shares.",
    "auth": "Signing in, and sessions.",
    "account": "The own account and its API keys.",
    "rooms": "Rooms, their members and invitations.",
    "messages": "Messages in rooms.",
    "live": "Events as they happen.",
    "inbox": "Messages between two accounts.",
    "administration": "For administrators.",
}
"""The groups of calls, in the order of reading; groups that are not listed follow."""

DESCRIPTION = (
    "Errors are problem details (RFC 9457) with a stable `code`. Times are ISO 8601 in UTC, sizes are in bytes. Every "
    "answer carries `X-Request-Id`. Send the token of your session as `Authorization: Bearer TOKEN`, or an API key and "
    "its token as a name and a password."
)


def merged(documents: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One document. Schemas of the same name have to be the same: clients generate one type from each."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    schemes: dict[str, Any] = {}
    for document in documents:
        paths.update(document["paths"])
        components = document["components"]
        schemes.update(components.get("securitySchemes", {}))
        for name, schema in components["schemas"].items():
            if schemas.setdefault(name, schema) != schema:
                raise ValueError(f"two services have different schemas {name}; name one of them otherwise")
    used = {tag for calls in paths.values() for call in calls.values() for tag in call["tags"]}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Waystation",
            "version": VERSION,
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [
            {"name": name, "description": TAGS[name]} if name in TAGS else {"name": name}
            for name in sorted(used, key=lambda name: ([*TAGS, name].index(name), name))
        ],
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": dict(sorted(schemas.items())), "securitySchemes": schemes},
    }


def as_json(document: Mapping[str, Any]) -> str:
    """The document as a file, a line for each value, so that changes can be read."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
