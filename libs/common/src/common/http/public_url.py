"""The address by which clients reach this system."""

import re

from fastapi import Request

# A name or an address, perhaps with a port: safe to put into a URL of an answer.
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?", re.ASCII)


def base_url(request: Request, configured: str = "") -> str:
    """The configured scheme and host, or else those of this request, without a final slash."""
    if configured:
        return configured.rstrip("/")
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        host = "localhost"
    return f"{request.url.scheme}://{host}"
