"""How the native API shows sessions. Moments are in RFC 3339 form."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from auth_service.directory.schemas import AccountAnswer
from auth_service.sessions.model import OpenedSession, Session, SessionKind
from common.identity import Identity


class TokenAnswer(BaseModel):
    """A token, for `Authorization: Bearer`."""

    token: str
    expires_at: datetime | None
    account: AccountAnswer

    @staticmethod
    def of(opened: OpenedSession) -> "TokenAnswer":
        account = AccountAnswer.model_validate(opened.account)
        return TokenAnswer(token=opened.token, expires_at=opened.expires_at, account=account)


class SessionAnswer(BaseModel):
    """A session. `kind` opaque: a token of Mirage; `expires_at` null: never; `label`: the client that signed in."""

    id: UUID
    kind: SessionKind
    label: str
    created_at: datetime
    expires_at: datetime | None
    current: bool

    @staticmethod
    def of(session: Session, identity: Identity) -> "SessionAnswer":
        return SessionAnswer(
            id=session.id,
            kind=session.kind,
            label=session.label,
            created_at=session.created_at,
            expires_at=session.expires_at,
            current=session.id == identity.credential_id,
        )


class SessionsAnswer(BaseModel):
    """Sessions, the newest first."""

    sessions: list[SessionAnswer]
