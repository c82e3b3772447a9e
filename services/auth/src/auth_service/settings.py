"""The settings of the auth service."""

from pydantic import SecretStr

from common.settings import DatabaseSettings


class AuthSettings(DatabaseSettings):
    """What the service needs."""

    service_secrets: dict[str, SecretStr]
    """Each service's own secret, by its name; given as a JSON object."""
