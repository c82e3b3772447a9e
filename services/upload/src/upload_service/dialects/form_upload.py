"""A form's file on its way to becoming a share, whichever dialect the form is in."""

from types import TracebackType

from common.errors import InvalidInput
from common.expiry import Expiry
from common.http.forms import FilePart
from common.store import BodyLength
from upload_service.content import sessions, streams
from upload_service.content.model import UploadSession
from upload_service.content.sessions import NewUpload
from upload_service.content.sharing import share_upload
from upload_service.context import Context
from upload_service.shares import Shared, ShareKind, Shares

FORM_ALLOWANCE = 1024 * 1024
"""What a form may weigh beside its file before its length alone condemns it."""


class FormUpload:
    """One file of one form. Leaving the `async with` by an error leaves nothing of it, however far it came."""

    def __init__(self, context: Context, shares: Shares) -> None:
        self._context, self._shares = context, shares
        self.session: UploadSession | None = None
        """What takes the file, once it has begun."""

    async def __aenter__(self) -> "FormUpload":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind and self.session:
            await streams.discard_stream(self._context, self.session.id)

    async def begin(self, new: NewUpload) -> UploadSession:
        """Open the session. Raises `InvalidInput` for a name that cannot be kept."""
        self.session = await sessions.start_upload(self._context, new)
        return self.session

    async def share(
        self, expiry: Expiry, kind: ShareKind = "code", extension: str = "", *, password_hash: str | None = None
    ) -> tuple[UploadSession, Shared]:
        """Make what has been stored a file, and the file a share."""
        assert self.session is not None, "it has begun"
        return await finish_and_share(
            self._context, self._shares, self.session, expiry, kind, extension, password_hash=password_hash
        )


async def store_part(context: Context, session: UploadSession, part: FilePart, max_size: int) -> int:
    """Store a form's file as the content of `session`; its size. Raises `TooLarge`, `InvalidInput` as `put_stream`."""
    try:
        return await streams.put_stream(context, session, part, max_size)
    except BodyLength:
        raise InvalidInput("the form has too much after its file") from None


async def finish_and_share(
    context: Context,
    shares: Shares,
    session: UploadSession,
    expiry: Expiry,
    kind: ShareKind = "code",
    extension: str = "",
    *,
    password_hash: str | None = None,
) -> tuple[UploadSession, Shared]:
    """Make the stored stream of `session` a file, and the file a share; asked again, it gives the same ones."""
    finished = await streams.finish_stream(context, session)
    return finished, await share_upload(context, finished, expiry, kind, extension, password_hash=password_hash)
