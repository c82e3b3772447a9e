"""The reason why a backup or a restoration cannot go on, as one line for the operator."""


class BackupError(Exception):
    """The message says what is wrong, and what to do about it."""


class Damaged(BackupError):
    """The backup is not as it was written."""
