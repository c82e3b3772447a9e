"""The exit codes of the command, on which scripts may rely."""

from waystation.errors import (
    Damaged,
    Limited,
    NoRoom,
    NotAllowed,
    NotFound,
    NotSignedIn,
    PasswordNeeded,
    PasswordWrong,
    ServerFull,
    SourceChanged,
    Temporary,
    UnknownCode,
    Unusable,
    WaystationError,
)

FAILED, USAGE, INTERRUPTED = 1, 2, 130
BY_ERROR: tuple[tuple[type[WaystationError], int], ...] = (
    (Unusable, USAGE),
    (Temporary, 3),
    (UnknownCode, 4),
    (NotFound, 4),
    (PasswordNeeded, 5),
    (PasswordWrong, 5),
    (NotSignedIn, 6),
    (NotAllowed, 6),
    (Damaged, 7),
    (SourceChanged, 8),
    (NoRoom, 9),
    (ServerFull, 10),
    (Limited, 11),
)


def exit_code(error: WaystationError) -> int:
    return next((code for kind, code in BY_ERROR if isinstance(error, kind)), FAILED)
