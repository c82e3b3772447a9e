"""Signed requests for others to send (AWS Signature Version 4, in the query), whose length is part of what is signed.

The SDK signs the host alone. A part's address is given to somebody else, who must not be able to send more.
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from urllib.parse import quote, urlsplit, urlunsplit

SERVICE = "s3"


def signed_part(
    url: str, size: int, *, access_key: str, secret_key: str, region: str, now: datetime, lifetime: timedelta
) -> str:
    """The address `url` with the right to PUT exactly `size` bytes to it. Its query must not be signed already."""
    parts = urlsplit(url)
    day, moment = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{day}/{region}/{SERVICE}/aws4_request"
    pairs = [
        *(pair.split("=", 1) for pair in parts.query.split("&") if pair),
        ["X-Amz-Algorithm", "AWS4-HMAC-SHA256"],
        ["X-Amz-Credential", quote(f"{access_key}/{scope}", safe="")],
        ["X-Amz-Date", moment],
        ["X-Amz-Expires", str(int(lifetime.total_seconds()))],
        ["X-Amz-SignedHeaders", quote("content-length;host", safe="")],
    ]
    query = "&".join(f"{name}={value}" for name, value in sorted(pairs))
    headers = f"content-length:{size}\nhost:{parts.netloc}\n"
    request = f"PUT\n{parts.path}\n{query}\n{headers}\ncontent-length;host\nUNSIGNED-PAYLOAD"
    hashed = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{secret_key}".encode()
    for step in (day, region, SERVICE, "aws4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    signature = hmac.digest(key, f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashed}".encode(), "sha256").hex()
    return urlunsplit(parts._replace(query=f"{query}&X-Amz-Signature={signature}"))
