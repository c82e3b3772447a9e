"""Filling in the document of an operator's own page, with what the policy says of the place."""

import re
from collections.abc import Callable
from html import escape

from common.policy import Policy

_PLACEHOLDER = re.compile(r"\{\{(title|description|keywords|opacity|background)\}\}")
# A document that never ends a script, or a tag, ends with it.
_SCRIPT = re.compile(r"(<script\b[^>]*>)(.*?)(?=</script[\s/>]|\Z)", re.IGNORECASE | re.DOTALL)
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9.]")


def filled(document: str, policy: Policy) -> str:
    """The document with the values of FileCodeBox's placeholders, as text that is no HTML.

    In a script they are text for a string, between quotes of any kind.
    """
    values = {
        "title": policy.name,
        "description": policy.description,
        "keywords": policy.keywords,
        "opacity": f"{policy.opacity:g}",
        "background": policy.background,
    }

    def put(text: str, escaped: Callable[[str], str]) -> str:
        # All at once: a value with the name of a placeholder stays as it is.
        return _PLACEHOLDER.sub(lambda found: escaped(values[found[1]]), text)

    # Before each script is a piece of HTML with its tag, and after the last one the rest.
    pieces, end = list[str](), 0
    for script in _SCRIPT.finditer(document):
        pieces += (put(document[end : script.end(1)], escape), put(script[2], _in_script))
        end = script.end()
    return "".join((*pieces, put(document[end:], escape)))


def _in_script(text: str) -> str:
    """The text for a string of JavaScript: it ends no string, whatever its quotes, and no script, and is no HTML."""
    return _NOT_PLAIN.sub(lambda found: _units(found[0]), text)


def _units(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
