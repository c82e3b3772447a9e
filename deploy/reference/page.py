"""The page of the reference, without scripts: one section for each group of calls, and one for the schemas."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

FOLDER = Path(__file__).parent
_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_BOUNDS = (("minimum", "maximum", ""), ("minLength", "maxLength", " characters"), ("minItems", "maxItems", " of them"))
"""The names of the least and the most of something, and the word for it."""


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter of a call, or a property of an object."""

    name: str
    kind: Markup
    """Its type; the name of a schema is a link to it."""
    note: Markup
    """Its place, whether it has to be given, its default and its bounds."""


@dataclass(frozen=True, slots=True)
class Call:
    """A method of a path."""

    id: str
    method: str
    path: str
    text: Markup
    fields: list[Field]
    body: Markup
    """The type of the request's body; empty: it has none."""
    answers: list[tuple[str, Markup]]
    """The status of each success, with the type of its body."""


def page(document: Mapping[str, Any]) -> str:
    """The page, complete."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    groups = [(tag["name"], tag.get("description", ""), _calls(document, tag["name"])) for tag in document["tags"]]
    schemas = [
        (name, markdown(schema.get("description", "")), _properties(schema), _kind(schema))
        for name, schema in document["components"]["schemas"].items()
    ]
    return environment.get_template("page.html").render(
        info=document["info"], text=markdown(document["info"]["description"]), groups=groups, schemas=schemas
    )


def markdown(text: str) -> Markup:
    """Text of a docstring as HTML; HTML in it is shown, not obeyed."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704  (rendered without HTML)


def _calls(document: Mapping[str, Any], tag: str) -> list[Call]:
    return [
        Call(
            id=call["operationId"],
            method=method.upper(),
            path=path,
            text=markdown(call.get("description", "")),
            fields=[_parameter(each) for each in call.get("parameters", ())] + _body_fields(call),
            body=_body_kind(call),
            answers=[
                (status, _content(answer)) for status, answer in call["responses"].items() if status.startswith("2")
            ],
        )
        for path, calls in document["paths"].items()
        for method, call in calls.items()
        if tag in call["tags"]
    ]


def _body(call: Mapping[str, Any]) -> Mapping[str, Any]:
    content: Mapping[str, Any] = call.get("requestBody", {}).get("content", {})
    schema: Mapping[str, Any] = content.get("application/json", {}).get("schema", {})
    return schema


def _body_fields(call: Mapping[str, Any]) -> list[Field]:
    """The properties of a body that has no schema of its own name."""
    return _properties(_body(call))


def _body_kind(call: Mapping[str, Any]) -> Markup:
    content: Mapping[str, Any] = call.get("requestBody", {}).get("content", {})
    schema = _body(call)
    if schema:
        return Markup() if "properties" in schema else _kind(schema)
    return Markup(", ").join(content)


def _content(answer: Mapping[str, Any]) -> Markup:
    kinds = [
        _kind(content["schema"]) if content.get("schema") else Markup.escape(media_type)
        for media_type, content in answer.get("content", {}).items()
    ]
    return Markup(", ").join(kinds)


def _parameter(parameter: Mapping[str, Any]) -> Field:
    where = f"in the {parameter['in']}"
    needed = "required" if parameter.get("required") and parameter["in"] != "path" else ""
    return _field(parameter["name"], parameter["schema"], where, needed, parameter.get("description", ""))


def _properties(schema: Mapping[str, Any]) -> list[Field]:
    required = schema.get("required", ())
    return [
        _field(name, each, "required" if name in required else "", each.get("description", ""))
        for name, each in schema.get("properties", {}).items()
    ]


def _field(name: str, schema: Mapping[str, Any], *notes: str) -> Field:
    default = f"default {schema['default']!r}" if schema.get("default") not in (None, "", []) else ""
    told = [note for note in (*notes[:-1], default, *_bounds(schema)) if note]
    if notes[-1]:
        told.append(Markup(_MARKDOWN.renderInline(notes[-1])))  # noqa: S704  (rendered without HTML)
    return Field(name, _kind(schema), Markup("; ").join(told))


def _bounds(schema: Mapping[str, Any]) -> list[str]:
    alternatives = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    bounded = alternatives[0] if len(alternatives) == 1 else schema
    return [
        _bound(bounded.get(least), bounded.get(most)) + word
        for least, most, word in _BOUNDS
        if least in bounded or most in bounded
    ]


def _bound(least: int | None, most: int | None) -> str:
    if least is None:
        return f"at most {most}"
    return f"at least {least}" if most is None else f"{least} to {most}"


def _kind(schema: Mapping[str, Any]) -> Markup:
    """The type of a value, in words of JSON."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#schema-{0}">{0}</a>').format(name)
    if alternatives := schema.get("anyOf") or schema.get("oneOf"):
        return Markup(" or ").join(_kind(each) for each in alternatives)
    if "enum" in schema:
        return Markup(" or ").join(Markup("<code>{}</code>").format(each) for each in schema["enum"])
    if "const" in schema:
        return Markup("<code>{}</code>").format(schema["const"])
    if schema.get("type") == "array":
        return Markup("array of ") + _kind(schema.get("items", {}))
    return Markup.escape(schema.get("format") or schema.get("type") or "any value")
