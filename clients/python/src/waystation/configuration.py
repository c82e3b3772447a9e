"""The memory of the command: the server, and the token for each server, which only its user may read."""

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from waystation.errors import Unusable

NAME, TOKENS = "config.json", "tokens.json"


def default_folder() -> Path:
    """The folder for configuration by the XDG rules."""
    given = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(given) if Path(given).is_absolute() else Path.home() / ".config") / "waystation"


class Configuration:
    """The files of one folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or default_folder()

    @property
    def server(self) -> str | None:
        found = self._read(NAME).get("server")
        return found if isinstance(found, str) else None

    def set_server(self, server: str) -> None:
        self._write(NAME, {**self._read(NAME), "server": server})

    def token(self, server: str) -> str | None:
        """The token for a server."""
        found = self._read(TOKENS).get(server)
        return found if isinstance(found, str) else None

    def set_token(self, server: str, token: str | None) -> None:
        """Keep the token for a server; None: forget it."""
        tokens = {**self._read(TOKENS), server: token}
        self._write(TOKENS, {name: kept for name, kept in tokens.items() if kept})

    def _read(self, name: str) -> dict[str, Any]:
        path = self._folder / name
        try:
            found = json.loads(path.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            raise Unusable(f"{path} cannot be read") from None
        return found if isinstance(found, dict) else {}

    def _write(self, name: str, content: dict[str, Any]) -> None:
        """Replace a file by one that nobody else could read at any moment."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=".new-")
            try:
                with os.fdopen(handle, "w") as file:
                    json.dump(content, file, indent=2)
                Path(temporary).replace(self._folder / name)
            finally:
                with suppress(FileNotFoundError):
                    Path(temporary).unlink()
        except OSError as error:
            raise Unusable(f"{self._folder}: {error.strerror}") from None
