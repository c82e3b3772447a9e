"""How the native API shows accounts. Moments are in RFC 3339 form."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, computed_field

from auth_service.directory.model import Account
from common.identity import Role
from common.lookalikes.scripts import mixed_scripts


class AccountAnswer(BaseModel):
    """An account. `mixed_scripts` are those of a name that mixes some, as codes of ISO 15924."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    role: Role

    @computed_field
    @property
    def mixed_scripts(self) -> tuple[str, ...]:
        return mixed_scripts(self.name)


class WholeAccountAnswer(AccountAnswer):
    """An account, as its owner and administrators see it."""

    email: str | None
    created_at: datetime

    @staticmethod
    def of(account: Account) -> "WholeAccountAnswer":
        return WholeAccountAnswer.model_validate(account)
