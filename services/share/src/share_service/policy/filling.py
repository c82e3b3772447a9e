"""Filling in the document of an operator's own page, with what the policy says of the place."""

import re
from html import escape

from common.policy import Policy

_PLACEHOLDER = re.compile(r"\{\{(title|description|keywords|opacity|background)\}\}")


def filled(document: str, policy: Policy) -> str:
    """The document with the values of FileCodeBox's placeholders, as text that is no HTML."""
    values = {
        "title": policy.name,
        "description": policy.description,
        "keywords": policy.keywords,
        "opacity": f"{policy.opacity:g}",
        "background": policy.background,
    }
    # All at once: a value with the name of a placeholder stays as it is.
    return _PLACEHOLDER.sub(lambda found: escape(values[found[1]]), document)
