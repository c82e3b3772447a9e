"""The two kinds of system that are backed up: the one of `make run`, and the one of Compose.

With CREDENTIALS_FILE in the environment, this process is the service `operator` of docker-compose.yml.
"""

import os
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from deploy.backup.composed import Composed
from deploy.backup.embedded import Embedded
from deploy.backup.errors import BackupError
from deploy.backup.systems import System
from deploy.local import settings as stack_settings
from deploy.local.settings import SettingsError


class Stack(Protocol):
    """One kind of system."""

    def running(self) -> System:
        """The system that runs. Raises `BackupError`."""
        ...

    def refuse_used(self) -> None:
        """Raise `BackupError` unless a new system can be made here."""
        ...

    def new(self, known: Mapping[str, str]) -> AbstractAsyncContextManager[System]:
        """The engines of a new system with these credentials, for the block. It cannot be started before its end."""
        ...


def stack_of(environment: Mapping[str, str] = os.environ) -> Stack:
    """The kind of system that this process has to do with. Raises `BackupError`."""
    if environment.get("CREDENTIALS_FILE"):
        return Composed()
    try:
        return Embedded(stack_settings.read(environment))
    except SettingsError as error:
        raise BackupError(str(error)) from None
