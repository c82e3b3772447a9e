"""Host names that speak only one dialect. On all other hosts, calls that two dialects share get a combined answer."""

from enum import StrEnum

from fastapi import Request


class Host(StrEnum):
    """The dialect of a host name, given by its first label."""

    FILECODEBOX = "filecodebox"
    FILE_UPLOADER = "fileuploader"
    MIRAGE = "mirage"
    MIRRORACE = "mirrorace"
    SHARED = "shared"


def host_of(request: Request) -> Host:
    """The dialect of the host name in the request."""
    label, dot, _ = request.headers.get("host", "").lower().partition(".")
    try:
        return Host(label) if dot else Host.SHARED
    except ValueError:
        return Host.SHARED
