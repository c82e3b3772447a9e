"""The texts that a person at a terminal reads."""

from fastapi import Request, Response

from common.dialects.curl import PLACE, text
from common.expiry import Expiry
from common.http.public_url import base_url
from common.policy import Policy
from upload_service.content.model import UploadSession
from upload_service.context import Context
from upload_service.dialects.curl.wishes import HEADERS
from upload_service.shares import Shared

SIZES = ("B", "KiB", "MiB", "GiB", "TiB")
USAGE = """\
{name}

send      curl -T FILE {base}/
          curl -F file=@FILE {base}/
          tar cz FOLDER | curl -T - {base}/FOLDER.tgz
fetch     curl -OJ {base}{place}/CODE
delete    curl -X DELETE {base}{place}/CODE/KEY

While sending, headers say how long the file can be fetched, and by whom:
{options}

A file has at most {size}. {guests}"""
OPTIONS = {
    f"-H '{HEADERS['expire_after']}: 12h'": "after minutes (m), hours (h) or days (d), or never",
    f"-H '{HEADERS['max_downloads']}: 1'": "after a number of downloads",
    f"-H '{HEADERS['password']}: …'": "only with a password: curl -u :PASSWORD",
    "-u KEY:TOKEN": "the file belongs to an account",
}


def usage(request: Request, context: Context, policy: Policy) -> Response:
    """The calls of this dialect, explained."""
    content = USAGE.format(
        name=policy.name,
        base=base_url(request, context.public_url),
        place=PLACE,
        size=_size_text(policy.upload_size),
        guests="Anybody may send." if policy.open_upload else "Sending needs an account.",
        options="\n".join(f"          {option:<26} {meaning}" for option, meaning in OPTIONS.items()),
    )
    return text(content, headers={"Vary": "User-Agent"})


def sent(request: Request, context: Context, session: UploadSession, shared: Shared, expiry: Expiry) -> Response:
    """The place of a file that was sent. The first line is its link, for scripts."""
    url = f"{base_url(request, context.public_url)}{PLACE}/{shared.code}"
    lines = (
        url,
        "",
        f"code      {shared.code}",
        f"expires   {_expiry_text(expiry)}",
        f"delete    curl -X DELETE {url}/{shared.delete_key}",
    )
    headers = {
        "Location": url,
        "Waystation-Url": url,
        "Waystation-Code": shared.code,
        "Waystation-Delete-Key": shared.delete_key,
        "Waystation-File": str(session.file_id),
    }
    return text("\n".join(lines), 201, headers)


def _expiry_text(expiry: Expiry) -> str:
    times = "" if expiry.uses is None else f"after {expiry.uses} download{'s' if expiry.uses > 1 else ''}"
    at = "" if expiry.at is None else f"{expiry.at:%Y-%m-%d %H:%M} UTC"
    return ", or ".join(filter(None, (times, at))) or "never"


def _size_text(size: int) -> str:
    """A size that people can read, rounded down."""
    power = min((size.bit_length() - 1) // 10, len(SIZES) - 1)
    return f"{size >> (10 * power)} {SIZES[power]}"
