"""What to call content that comes from elsewhere. The name is data: whatever it says, it is never part of a path."""

from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Any
from urllib.parse import unquote, urlsplit

from common.downloads import shortened

UNNAMED = "download"


def name_of(url: str, disposition: str | None) -> str:
    """How to call what an answer carries: as its `Content-Disposition` says (RFC 6266), or as the URL's path ends."""
    return _said(disposition or "") or _cleaned(unquote(urlsplit(url).path)) or UNNAMED


def _said(disposition: str) -> str:
    """The name that a header gives; `filename*` comes before `filename` (section 4.3). Empty: it gives none."""
    try:
        disposition.encode()
    except UnicodeEncodeError:
        # Bytes that are not UTF-8 come as surrogates. They mean what they meant in the first days of the header.
        disposition = disposition.encode(errors="surrogateescape").decode("latin-1")
    message = Message()
    try:
        message["Content-Disposition"] = disposition
        parameters = message.get_params([], "Content-Disposition")
    except (ValueError, LookupError):
        return ""
    # A text, or what RFC 2231 makes of a `filename*`.
    named: list[Any] = [value for name, value in parameters if name.lower() == "filename"]
    for value in sorted(named, key=lambda value: isinstance(value, str)):
        try:
            name = _cleaned(collapse_rfc2231_value(value, errors="strict"))
        except (ValueError, LookupError):
            continue
        if name:
            return name
    return ""


def _cleaned(name: str) -> str:
    """The last step of a path, printable and not too long; empty when nothing is left."""
    last = name.replace("\\", "/").rpartition("/")[2]
    spaced = "".join(" " if character.isspace() else character for character in last)
    printable = "".join(character for character in spaced if character.isprintable()).strip()
    return shortened(printable).strip() if printable.strip(". ") else ""
