"""The versions of the draft that clients speak, by the number in `Upload-Draft-Interop-Version`.

| number | drafts | what is new in it, as far as a server is concerned |
| --- | --- | --- |
| 3 | 01 | the header `Upload-Incomplete` |
| 4, 5 | 02, 03 | `Upload-Complete` in place of it |
| 6 | 04, 05 | PATCH needs `application/partial-upload`; `Upload-Limit`, whose time is called `expires` |
| 7, 8 | 06 to 08, 09 to 11 | `Upload-Limit` calls the time `max-age` |
| none | the text meant to become the RFC | no number any more |
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request

from common.errors import InvalidInput
from upload_service.dialects.resumable import headers

VERSION_HEADER = "upload-draft-interop-version"
MEDIA_TYPE = "application/partial-upload"
_FIRST_WITH_COMPLETE, _FIRST_WITH_TYPE, _FIRST_WITH_AGE = 4, 6, 7


class VersionUnknown(InvalidInput):
    """This version of the draft is not spoken here."""

    code = "draft_version"


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the draft."""

    number: int | None
    """None: the text without a number."""

    @property
    def needs_type(self) -> bool:
        """Whether what is appended has a media type of its own."""
        return self.number is None or self.number >= _FIRST_WITH_TYPE

    def completes(self, request: Request) -> bool | None:
        """Whether the request brings all that is left; None if it does not say."""
        if self._has_complete:
            return headers.boolean(request, "upload-complete")
        incomplete = headers.boolean(request, "upload-incomplete")
        return None if incomplete is None else not incomplete

    def completeness(self, *, is_complete: bool) -> dict[str, str]:
        """The header that says whether an upload is complete."""
        if self._has_complete:
            return {"Upload-Complete": "?1" if is_complete else "?0"}
        return {"Upload-Incomplete": "?0" if is_complete else "?1"}

    def limits(self, max_size: int, seconds_left: int | None = None) -> dict[str, str]:
        """The header with the limits of an upload; clients of older versions ignore it."""
        age = "max-age" if self.number is None or self.number >= _FIRST_WITH_AGE else "expires"
        left = "" if seconds_left is None else f", {age}={seconds_left}"
        return {"Upload-Limit": f"max-size={max_size}{left}"}

    @property
    def echo(self) -> Mapping[str, str]:
        """The header by which clients know the version of an answer."""
        return {} if self.number is None else {"Upload-Draft-Interop-Version": str(self.number)}

    @property
    def _has_complete(self) -> bool:
        return self.number is None or self.number >= _FIRST_WITH_COMPLETE


NEWEST = Version(None)
SPOKEN = {str(number): Version(number) for number in range(3, 9)}


def is_draft(request: Request) -> bool:
    """Whether a request is one of the draft. Every request of tus but OPTIONS names tus."""
    if "tus-resumable" in request.headers:
        return False
    said = (VERSION_HEADER, "upload-complete", "upload-incomplete")
    return request.method in ("HEAD", "DELETE") or any(name in request.headers for name in said)


def version_of(request: Request) -> Version:
    """The version that a request speaks. Raises `VersionUnknown`."""
    number = request.headers.get(VERSION_HEADER)
    if number is None:
        return NEWEST
    if version := SPOKEN.get(number.strip()):
        return version
    raise VersionUnknown(f"the versions of the draft spoken here are {', '.join(SPOKEN)}")
