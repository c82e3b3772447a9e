"""The file names that senders put into `Content-Disposition` (RFC 6266)."""

import re
from contextlib import suppress
from urllib.parse import unquote

import multipart

_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')
_EXTENDED_NAME = re.compile(r";\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]+)", re.IGNORECASE)


def extended_name(disposition: str) -> str | None:
    """The name that was sent as `filename*` (RFC 8187), where some clients alone send it legibly."""
    if extended := _EXTENDED_NAME.search(_QUOTED.sub("", disposition)):
        with suppress(UnicodeDecodeError):
            return unquote(extended[1], errors="strict")
    return None


def sent_name(disposition: str) -> str | None:
    """The name in a header of a request, which Starlette decodes as Latin-1."""
    if name := extended_name(disposition):
        return name
    name = multipart.parse_options_header(disposition)[1].get("filename")
    if name:
        with suppress(UnicodeError):
            return name.encode("latin-1").decode()
    return name
