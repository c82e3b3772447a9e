"""The host names that speak one dialect alone; on every other, calls that two dialects share get a union answer."""

from enum import StrEnum

from fastapi import Request


class Host(StrEnum):
    """Which dialect a host name is for: its first label says so."""

    FILECODEBOX = "filecodebox"
    FILE_UPLOADER = "fileuploader"
    MIRAGE = "mirage"
    MIRRORACE = "mirrorace"
    SHARED = "shared"


def host_of(request: Request) -> Host:
    """The dialect of the host name that the request came to."""
    label, dot, _ = request.headers.get("host", "").lower().partition(".")
    try:
        return Host(label) if dot else Host.SHARED
    except ValueError:
        return Host.SHARED
