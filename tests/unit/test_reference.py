"""The API's reference is that of the services, so the API changes only on purpose."""

import json
import re

import pytest

from deploy.reference.__main__ import SERVED, TYPES, files
from deploy.reference.document import merged
from deploy.reference.page import markdown, page
from deploy.reference.typescript import types


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return files()


def test_the_reference_is_what_make_reference_writes(made: dict[str, str]) -> None:
    committed = {
        str(path.relative_to(SERVED)): path.read_text(encoding="utf-8") for path in SERVED.rglob("*") if path.is_file()
    }
    assert committed.keys() == made.keys()
    for name, content in made.items():
        assert committed[name] == content, f"{name} is not up to date: run make reference, and look at what changed"


def test_the_types_of_the_page_are_those_of_the_reference(made: dict[str, str]) -> None:
    current = types(json.loads(made["openapi.json"]))
    assert TYPES.read_text(encoding="utf-8") == current, "not up to date: run make reference"


def test_a_schema_becomes_the_type_that_it_describes() -> None:
    view = {
        "type": "object",
        "description": "A view. */ not code",
        "required": ["id", "kind"],
        "properties": {
            "id": {"type": "integer"},
            "kind": {"enum": ["a", "it's"]},
            "others": {"type": "array", "items": {"anyOf": [{"$ref": "#/components/schemas/View"}, {"type": "null"}]}},
            "by-name": {"type": "object", "additionalProperties": {"type": "number"}},
            "anything": {},
        },
    }
    assert types({"paths": {}, "components": {"schemas": {"View": view}}}).partition("\n\n")[2] == (
        "/** A view. *\\/ not code */\n"
        "export type View = {\n"
        "  id: number\n"
        "  kind: 'a' | 'it\\'s'\n"
        "  others?: (View | null)[]\n"
        "  'by-name'?: Record<string, number>\n"
        "  anything?: unknown\n"
        "}\n"
    )


def test_every_reference_in_the_document_leads_to_a_schema(made: dict[str, str]) -> None:
    document = json.loads(made["openapi.json"])
    referred = set(re.findall(r'"#/components/schemas/(\w+)"', made["openapi.json"]))
    assert referred <= set(document["components"]["schemas"])
    named = {tag["name"] for tag in document["tags"]}
    assert all(set(call["tags"]) <= named for calls in document["paths"].values() for call in calls.values())


def test_the_page_has_every_call_and_runs_nothing(made: dict[str, str]) -> None:
    document, html = json.loads(made["openapi.json"]), made["docs.html"]
    for path, calls in document["paths"].items():
        for call in calls.values():
            assert f"<code>{path}</code>" in html
            assert f'id="{call["operationId"]}"' in html
    assert not re.search(r"<script|\son\w+=|javascript:|\sstyle=", html)
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(re.findall(r'\sid="([^"]+)"', html))


def test_text_is_shown_as_text() -> None:
    assert "<script>" not in markdown("<script>alert(1)</script>")
    call = {"operationId": "x", "tags": ["t"], "description": "<b>", "responses": {}}
    document = merged([{"paths": {"/v1/<i>": {"get": call}}, "components": {"schemas": {}}}])
    assert not {"<b>", "<i>"} & set(re.findall(r"<[bi]>", page(document)))


def test_two_services_cannot_mean_different_things_by_one_name() -> None:
    one, other = ({"paths": {}, "components": {"schemas": {"View": {"type": kind}}}} for kind in ("string", "integer"))
    with pytest.raises(ValueError, match="different schemas View"):
        merged([one, other])
