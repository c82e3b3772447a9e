"""Reading from HTTP requests what downloads need to know."""

from fastapi import Request

from common.errors import InvalidInput
from common.identities import basic_pair
from common.identity import CredentialsMalformed
from common.ranges import RANGE_LIMIT, range_count
from share_service.downloads.downloading import DownloadRequest
from share_service.downloads.passwords import PasswordWrong, Proof
from share_service.edge import address_of

HEADER = "X-Share-Password"


class TooManyRanges(InvalidInput):
    """The request asks for too many ranges at once."""

    code = "too_many_ranges"


class HeaderPasswordWrong(PasswordWrong):
    """The password is wrong."""

    # A `Basic` challenge would make browsers ask for the password in place of the page.
    challenge = f'{HEADER} realm="share"'


def download_request(request: Request, key: str | None = None) -> DownloadRequest:
    """The download that a GET or HEAD asks for, by a download key if there is one. Raises `TooManyRanges`."""
    ranges = ",".join(request.headers.getlist("range")) or None
    if range_count(ranges) > RANGE_LIMIT:
        raise TooManyRanges
    return DownloadRequest(
        method="HEAD" if request.method == "HEAD" else "GET",
        address=address_of(request),
        password=shown_password(request),
        key=key,
        ranges=ranges,
        if_range=request.headers.get("if-range"),
        is_gone=request.is_disconnected,
    )


def proof_of(request: Request, password: str | None) -> Proof:
    """The client's address, and this password."""
    return Proof(address_of(request), password)


def shown_password(request: Request) -> str | None:
    """The password in the request's headers: `X-Share-Password`, or `Authorization: Basic` with any user name."""
    header = password_header(request)
    if header is not None:
        return header
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return basic_pair(value.strip())[1]
    except CredentialsMalformed:
        return None


def password_header(request: Request) -> str | None:
    """The password in the header `X-Share-Password`, which is UTF-8."""
    value = request.headers.get(HEADER)
    if value is None:
        return None
    # Starlette decodes headers as Latin-1.
    return value.encode("latin-1").decode(errors="replace")
