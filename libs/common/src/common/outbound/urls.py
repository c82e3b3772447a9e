"""URLs that users supply: the accepted syntax, and the form in which they are requested.

Only this parser decides where a URL leads. Path and query stay unchanged, because a signature may cover them.
"""

import re
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from yarl import URL

from common.errors import InvalidInput

URL_LIMIT = 8192
"""The most characters of a URL."""

_CREDENTIALS = re.compile(r"^([A-Za-z]+://)[^/?#]*@")
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# A name in ASCII without escapes, or an address without a scope.
_HOST = re.compile(r"[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\]", re.ASCII)
# The characters that RFC 3986 allows in a path or query, and the percent sign of existing escapes.
_AS_IT_IS = "%!$&'()*+,/:;=?@[]~"


class UrlInvalid(InvalidInput):
    """This is not the URL of a file on a web server."""

    code = "url_invalid"


@dataclass(frozen=True, slots=True)
class RemoteUrl:
    """An http or https URL."""

    url: URL
    """The URL to request, without user, password and fragment."""
    authorization: str | None
    """The `Authorization` header made of its user and password, which may be empty (RFC 7617)."""

    @property
    def origin(self) -> tuple[str, str | None, int | None]:
        """Scheme, host and port (RFC 6454)."""
        return self.url.scheme, self.url.raw_host, self.url.port


def parse(text: str) -> RemoteUrl:
    """Parse a URL. Raises `UrlInvalid`."""
    text = text.strip()
    if len(text) > URL_LIMIT:
        raise UrlInvalid(f"a URL has at most {URL_LIMIT} characters")
    if _CONTROL.search(text):
        raise UrlInvalid("a control character in the URL")
    try:
        parsed, parts = URL(text), urlsplit(text)
        authorization = _authorization(parsed)
        path, query = quote(parts.path or "/", safe=_AS_IT_IS), quote(parts.query, safe=_AS_IT_IS)
    except ValueError:
        raise UrlInvalid from None
    if parsed.scheme not in ("http", "https"):
        raise UrlInvalid("only http and https URLs can be fetched")
    host = (parsed.host_subcomponent or "").lower()
    if not _HOST.fullmatch(host) or parsed.port == 0:
        raise UrlInvalid("the URL names no host that could be asked")
    url = URL.build(
        scheme=parsed.scheme, host=host, port=parsed.explicit_port, path=path, query_string=query, encoded=True
    )
    return RemoteUrl(url, authorization)


def with_escapes(header: str) -> str:
    """The URL in a header, in which bytes that are not UTF-8 arrive as surrogates: they become escapes."""
    return _NOT_UTF8.sub(lambda found: f"%{ord(found[0]) - 0xDC00:02X}", header)


def without_credentials(text: str) -> str:
    """An accepted URL without user and password, so that others may see it."""
    return _CREDENTIALS.sub(r"\1", text)


def _authorization(url: URL) -> str | None:
    if url.user is None and url.password is None:
        return None
    if not url.user or ":" in url.user:
        raise UrlInvalid("credentials in a URL are a user, and a password if there is one")
    return "Basic " + b64encode(f"{url.user}:{url.password or ''}".encode()).decode()
