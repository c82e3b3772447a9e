"""The common part of all mirrors behind OpenDAL: reading, deleting, checking, and the meaning of its errors.

OpenDAL retries only when it is told to, so a failure is reported at once. Of its errors only the kind, the status of
an HTTP answer and the number of a system error are used: their text holds URLs, headers and answers.
"""

import errno
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import certifi
import opendal
from opendal import exceptions  # pyright: ignore[reportMissingModuleSource]  (it is in the binary module)
from opendal.options import OpenKwargs

from common import logging
from common.statuses import retry_after
from upload_service.mirrors.drivers import unfinished
from upload_service.mirrors.drivers.bounds import bounded
from upload_service.mirrors.drivers.interface import (
    MirrorDown,
    MirrorError,
    MirrorFull,
    MirrorRefused,
    OptionsInvalid,
    Place,
    ReplicaLost,
    Rules,
)
from upload_service.mirrors.drivers.kinds import KINDS
from upload_service.mirrors.drivers.statuses import error_of

READ_BLOCK = 1024 * 1024
_Answer = TypeVar("_Answer")
_log = logging.get(__name__)

_KINDS = (
    exceptions.Unexpected,
    exceptions.Unsupported,
    exceptions.ConfigInvalid,
    exceptions.NotFound,
    exceptions.PermissionDenied,
    exceptions.IsADirectory,
    exceptions.NotADirectory,
    exceptions.AlreadyExists,
    exceptions.IsSameFile,
    exceptions.ConditionNotMatch,
    exceptions.RateLimited,
    exceptions.RangeNotSatisfied,
    exceptions.Conflict,
)
# All errors of an open file are OSError, with the kind as the first word of the text.
_FAILURES = (*_KINDS, exceptions.Error, OSError)
_NAMES = frozenset(kind.__name__ for kind in _KINDS)
_LOST = ("NotFound",)
_TEMPORARY = ("RateLimited", "Conflict")
_REFUSED = ("PermissionDenied", "ConfigInvalid", "Unsupported", "IsADirectory", "NotADirectory")
_FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT)
_REFUSED_ERRORS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR)
# RFC 959, section 4.2.2, and the answers of servers with a full disk. 553: vsftpd cannot create the file.
_FTP = {
    **dict.fromkeys(("530", "532", "550", "553"), MirrorRefused),
    **dict.fromkeys(("452", "552"), MirrorFull),
}


# Where OpenDAL looks for certificate authorities, unless the environment names a place.
_AUTHORITIES = (
    *("/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem", "/etc/pki/tls/certs"),
    *("/etc/pki/ca-trust/extracted/pem", "/etc/ca-certificates/extracted", "/usr/local/share/certs"),
)


def have_authorities() -> None:
    """Trust the authorities of `certifi` if this machine has none at all, as small images do.

    Without any, OpenDAL panics at its first request, even at one without TLS.
    """
    named = [os.environ[name] for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)]
    for place in map(Path, named or _AUTHORITIES):
        if place.is_file() or (place.is_dir() and any(place.iterdir())):
            return
    os.environ["SSL_CERT_FILE"] = certifi.where()


have_authorities()


def operator_of(kind: str, options: Mapping[str, str]) -> opendal.AsyncOperator:
    """OpenDAL's operator for these options, which have been checked. Raises `OptionsInvalid`."""
    try:
        return opendal.AsyncOperator(kind, **{**options, **KINDS[kind].fixed})
    except _FAILURES as error:
        _log.debug("mirror_options", kind=kind, error=type(error).__name__)
        raise OptionsInvalid from None


@asynccontextmanager
async def translated() -> AsyncGenerator[None]:
    """Turn OpenDAL's errors into those of mirrors."""
    try:
        yield
    except _FAILURES as error:
        raise _meaning(error) from None


class OpenDalDriver:
    """A mirror behind OpenDAL. Subclasses write, since that depends on the kind."""

    can_delete = True
    swept: tuple[str, ...] = (unfinished.PROBES,)
    """The folders in which something of ours may be left."""

    def __init__(self, operator: opendal.AsyncOperator, rules: Rules) -> None:
        self._operator, self._seconds = operator, rules.stall_seconds

    async def read(self, place: Place, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        if start or length is not None:
            # Servers differ about ranges that reach beyond the end, so never ask for one.
            total = (await self._ask(self._operator.stat(place.path))).content_length
            length = max(0, total - start) if length is None else min(length, max(0, total - start))
            if length == 0:
                return
        reach: OpenKwargs = {"offset": start} if length is None else {"offset": start, "size": length}
        file = await self._ask(self._operator.open(place.path, "rb", **reach))
        while block := await self._ask(file.read(READ_BLOCK)):
            yield block

    async def delete(self, place: Place) -> None:
        try:
            await self._ask(self._operator.delete(place.path))
        except ReplicaLost:
            return

    async def remove_left(self, before: datetime) -> int:
        left = [
            f"{folder}/{entry.name}"
            for folder in self.swept
            for entry in await self._listed(folder)
            if unfinished.is_left(folder, entry, before)
        ]
        for path in left:
            await OpenDalDriver.delete(self, Place(path.lstrip("/")))
        return len(left)

    async def check(self) -> None:
        try:
            await self._ask(self._operator.check())
        except ReplicaLost:
            raise MirrorRefused("the mirror has no such root") from None

    async def close(self) -> None:
        """Do nothing: connections end with the operator."""

    async def _listed(self, folder: str) -> list[unfinished.Entry]:
        """The files and folders in a folder, `MOST_LISTED` of them at most; none if it is missing."""
        found: list[unfinished.Entry] = []
        async with bounded(self._seconds):
            try:
                async with translated():
                    async for entry in await self._operator.list(f"{folder}/"):
                        found.append(unfinished.Entry(entry.name, entry.metadata.last_modified))
                        if len(found) >= unfinished.MOST_LISTED:
                            break
            except ReplicaLost:
                return []
        return found

    async def _ask(self, question: Awaitable[_Answer]) -> _Answer:
        async with bounded(self._seconds), translated():
            return await question


def _meaning(error: Exception) -> MirrorError:
    text = str(error)
    word = text.partition(" ")[0]
    kind = type(error).__name__ if isinstance(error, _KINDS) else word if word in _NAMES else "OSError"
    status = _number(r"Parts \{ status: (\d{3})\b", text)
    system = error.errno if isinstance(error, OSError) and error.errno else _number(r"\(os error (\d+)\)", text)
    _log.debug("mirror_error", error=kind, status=status, system=system and os.strerror(system))
    if kind in _LOST or isinstance(error, FileNotFoundError):
        return ReplicaLost()
    asked = re.search(r'"retry-after": "([^"]{1,40})"', text)
    pause = retry_after(asked[1]) if asked else None
    if kind in _TEMPORARY:
        return MirrorDown(retry_after=pause)
    if status and status >= 400:
        return error_of(status, pause)
    if system in _FULL_ERRORS:
        return MirrorFull()
    if kind in _REFUSED or system in _REFUSED_ERRORS or "reqsign::Sign" in text:
        return MirrorRefused()
    answer = re.search(r"Invalid response: \[(\d{3})\]", text)
    return _FTP.get(answer[1] if answer else "", MirrorDown)()


def _number(pattern: str, text: str) -> int | None:
    found = re.search(pattern, text)
    return int(found[1]) if found else None
