"""The types of the web page, from the same document as the reference.

The usual generator for TypeScript needs an older compiler than the one that builds the page; the schemas of this
document use so little of JSON Schema that these lines are enough.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

HEAD = "/** The JSON that the native API takes and returns. `make reference` writes this file: do not edit it. */\n"
_PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_NAME = re.compile(r"[A-Za-z_$][\w$]*")


def types(document: Mapping[str, Any]) -> str:
    """A module with one exported type for each schema, and for each body that is sent as JSON."""
    named = {**_bodies(document), **document["components"]["schemas"]}
    return HEAD + "".join(f"\n{_declaration(name, named[name])}" for name in sorted(named))


def _bodies(document: Mapping[str, Any]) -> dict[str, Any]:
    """The schemas of JSON bodies, which stand where they are used, by their titles."""
    found: dict[str, Any] = {}
    for calls in document["paths"].values():
        for call in calls.values():
            content = call.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema", {})
            if "title" in schema and found.setdefault(schema["title"], schema) != schema:
                raise ValueError(f"two calls take different bodies {schema['title']}; name one of them otherwise")
    return found


def _declaration(name: str, schema: Mapping[str, Any]) -> str:
    return f"{_comment(schema.get('description', ''), '')}export type {name} = {_type(schema, '')}\n"


def _type(schema: Mapping[str, Any], indent: str) -> str:
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "const" in schema:
        return _literal(schema["const"])
    if "enum" in schema:
        return " | ".join(_literal(each) for each in schema["enum"])
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return " | ".join(dict.fromkeys(_type(each, indent) for each in schema[word]))
    if schema.get("type") == "array":
        items = schema.get("items", {})
        is_choice = any(word in items for word in ("enum", "anyOf", "oneOf"))
        return f"({_type(items, indent)})[]" if is_choice else f"{_type(items, indent)}[]"
    if schema.get("type") == "object":
        return _object(schema, indent)
    return _PLAIN.get(schema.get("type", ""), "unknown")


def _object(schema: Mapping[str, Any], indent: str) -> str:
    if "properties" not in schema:
        values = schema.get("additionalProperties")
        return f"Record<string, {_type(values, indent) if isinstance(values, dict) else 'unknown'}>"
    return "{\n" + "".join(_members(schema, indent + "  ")) + indent + "}"


def _members(schema: Mapping[str, Any], indent: str) -> Iterator[str]:
    required = schema.get("required", ())
    for name, member in schema["properties"].items():
        key = name if _NAME.fullmatch(name) else _literal(name)
        optional = "" if name in required else "?"
        yield f"{_comment(member.get('description', ''), indent)}{indent}{key}{optional}: {_type(member, indent)}\n"


def _comment(text: str, indent: str) -> str:
    if not text:
        return ""
    lines = [line.rstrip() for line in text.replace("*/", "*\\/").splitlines()]
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    return f"{indent}/**\n" + "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines) + f"{indent} */\n"


def _literal(value: object) -> str:
    if isinstance(value, str):
        return "'" + json.dumps(value, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"
    return json.dumps(value)
