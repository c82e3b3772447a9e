"""How the native API shows accounts. Moments are in RFC 3339 form."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from auth_service.directory.model import Account
from common.identity import Role


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
