"""The unfinished transfers: one small file for each transfer, from which another process goes on.

The files hold addresses of uploads and keys of shares, so only their owner may read them.
"""

import hashlib
import json
import os
import secrets
import tempfile
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from types import TracebackType
from typing import Any


def default_folder() -> Path:
    """The folder for state by the XDG rules."""
    given = os.environ.get("XDG_STATE_HOME", "")
    return (Path(given) if Path(given).is_absolute() else Path.home() / ".local" / "state") / "waystation"


class Entry:
    """One unfinished transfer. In a `with` block it belongs to this process alone."""

    def __init__(self, folder: Path, kind: str, key: tuple[str, ...]) -> None:
        digest = hashlib.sha256(json.dumps(key).encode(errors="surrogatepass")).hexdigest()[:32]
        self.mark = digest[:8]
        """A few characters that are the same for the same transfer."""
        self._path = folder / f"{kind}-{digest}.json"
        self._lock: int | None = None
        self.data: dict[str, Any] = {}

    def __enter__(self) -> "Entry":
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._take()
        with suppress(OSError, ValueError):
            found = json.loads(self._path.read_text())
            self.data = found if isinstance(found, dict) else {}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            # While it is locked: whoever waits for it notices that it has gone.
            self._lock_path.unlink(missing_ok=True)
            os.close(self._lock)

    def save(self) -> None:
        """Write `data` so that a process that dies leaves the old or the new."""
        handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=".state-")
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(self.data, file)
            Path(temporary).replace(self._path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def clear(self) -> None:
        """Forget what is known; the transfer has ended, or has to begin from the start."""
        self.data = {}
        self._path.unlink(missing_ok=True)

    def finish(self) -> None:
        """The transfer has ended: leave nothing."""
        self.clear()

    @property
    def _lock_path(self) -> Path:
        return self._path.with_suffix(".lock")

    def _take(self) -> None:
        """Lock the entry. If another process works on it, this one gets an entry of its own, which nothing resumes."""
        self._lock = _locked(self._lock_path)
        if self._lock is None:
            self.mark = secrets.token_hex(4)
            self._path = self._path.with_name(f"{self._path.stem}-{self.mark}.json")
        self._remove_left()

    def _remove_left(self) -> None:
        """Remove the locks of killed processes of which nothing can be resumed."""
        for path in self._path.parent.glob("*.lock"):
            if path == self._lock_path or path.with_suffix(".json").exists():
                continue
            lock = _locked(path)
            if lock is not None:
                path.unlink(missing_ok=True)
                os.close(lock)


def _locked(path: Path) -> int | None:
    """The handle of a file that is locked by this process now; None if another process has it."""
    while True:
        handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            flock(handle, LOCK_EX | LOCK_NB)
        except OSError:
            os.close(handle)
            return None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        # Its holder has removed it meanwhile.
        os.close(handle)
