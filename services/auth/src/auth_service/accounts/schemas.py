"""What the native API answers with. Moments are in RFC 3339 form."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from auth_service.directory.model import Account, ApiKey, KeyPair, Session, SessionKind, SignedIn
from common.identity import Identity, Role


class AccountAnswer(BaseModel):
    """An account."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    role: Role


class WholeAccountAnswer(AccountAnswer):
    """An account, as its owner and administrators see it."""

    email: str | None
    created_at: datetime

    @staticmethod
    def of(account: Account) -> "WholeAccountAnswer":
        return WholeAccountAnswer.model_validate(account)


class AccountsAnswer(BaseModel):
    """A page of accounts, the newest first; `next` is the `after` of the next page, or null."""

    accounts: list[WholeAccountAnswer]
    next: str | None


class TokenAnswer(BaseModel):
    """A token, for `Authorization: Bearer`."""

    token: str
    expires_at: datetime | None
    account: AccountAnswer

    @staticmethod
    def of(opened: SignedIn) -> "TokenAnswer":
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


class KeyAnswer(BaseModel):
    """An API key; `hint` is its beginning."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    hint: str
    created_at: datetime


class KeysAnswer(BaseModel):
    """API keys, the newest first."""

    keys: list[KeyAnswer]


class NewKeyAnswer(KeyAnswer):
    """An API key with its token, which are shown this once; for `Authorization: Basic` as user and password."""

    api_key: str
    api_token: str

    @staticmethod
    def of(key: ApiKey, pair: KeyPair) -> "NewKeyAnswer":
        known = KeyAnswer.model_validate(key)
        return NewKeyAnswer(**known.model_dump(), api_key=pair.api_key, api_token=pair.api_token)


class SigningKeyAnswer(BaseModel):
    """A key that signs tokens from `created_at` on."""

    kid: str
    created_at: datetime
