"""The name of a file that was fetched. It is data from a stranger and never becomes part of a path."""

from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Any
from urllib.parse import unquote, urlsplit

from common.names import last_component

UNNAMED = "download"
_ENCODED_FILES = {
    "gzip": (".gz", ".tgz"),
    "compress": (".z",),
    "bzip2": (".bz2", ".tbz2"),
    "xz": (".xz", ".txz"),
    "br": (".br",),
    "zstd": (".zst",),
}
"""The files that are encoded by themselves, by `Content-Encoding`."""


def name_of(url: str, disposition: str | None) -> str:
    """The name given by an answer's `Content-Disposition` (RFC 6266), or else the end of the URL's path."""
    return _from_header(disposition or "") or _cleaned(_decoded(urlsplit(url).path)) or UNNAMED


def is_encoded_file(name: str, encoding: str) -> bool:
    """Whether a `Content-Encoding` only repeats what kind of file this is, as some servers do for `a.tar.gz`."""
    endings = _ENCODED_FILES.get(encoding.removeprefix("x-"), ())
    return name.lower().endswith(endings) if endings else False


def _decoded(path: str) -> str:
    """A path without escapes, which stand for bytes of UTF-8, or else of Latin-1."""
    try:
        return unquote(path, errors="strict")
    except UnicodeDecodeError:
        return unquote(path, "latin-1")


def _from_header(disposition: str) -> str:
    """The name that a header gives, `filename*` before `filename` (section 4.3); empty if it gives none."""
    message = Message()
    try:
        if not _is_encodable(disposition):
            # Bytes that are not UTF-8 arrive as surrogates; the header was first defined for Latin-1.
            disposition = disposition.encode(errors="surrogateescape").decode("latin-1")
        message["Content-Disposition"] = disposition
        parameters = message.get_params([], "Content-Disposition")
    except (ValueError, LookupError):
        return ""
    # A value is text, or the triple of RFC 2231 for a `filename*`.
    named: list[Any] = [value for name, value in parameters if name.lower() == "filename"]
    for value in sorted(named, key=lambda value: isinstance(value, str)):
        try:
            name = _cleaned(collapse_rfc2231_value(value, errors="strict"))
        except (ValueError, LookupError):
            continue
        if name:
            return name
    return ""


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _cleaned(name: str) -> str:
    """The last component of a path, and of that only what is printable; empty when nothing is left.

    The name is a stranger's, so what cannot be seen is removed as well.
    """
    spaced = "".join(" " if character.isspace() else character for character in name)
    return last_component("".join(character for character in spaced if character.isprintable()).strip()).strip()
