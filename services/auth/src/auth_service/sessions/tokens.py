"""The signed token of a session."""

from auth_service.sessions.model import Session
from auth_service.signing.model import SigningKey
from auth_service.signing.tokens import sign
from common.tokens.users import AUDIENCE


def sign_session(keys: list[SigningKey], session: Session) -> str:
    """The token of a session. `common.tokens.users` describes its claims."""
    assert session.expires_at is not None, "only opaque tokens are valid for ever"
    account = str(session.account_id)
    claims = {
        "sub": account,
        "user_id": account,
        "jti": str(session.id),
        "aud": AUDIENCE,
        "ExpiresAt": int(session.expires_at.timestamp()),
    }
    return sign(keys, claims, session.created_at, session.expires_at)
