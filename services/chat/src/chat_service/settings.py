"""The settings of the chat service."""

from common.settings import DatabaseSettings, ValkeySettings


class ChatSettings(DatabaseSettings, ValkeySettings):
    """What the service needs."""
