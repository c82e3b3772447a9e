"""One readable log of the output of all programs.

Each line begins with the name of the program. Lines of JSON, which the services and the gateway write, become
`time level event key=value`. With LOG_FORMAT=json every line is JSON, for programs to read: these stay as they are, and
others become the `event` of one.
"""

import json
import os
import re
import sys
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TextIO

NAME_WIDTH = 13
COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)
LEVEL_COLOURS = {"warning": 33, "warn": 33, "error": 31, "critical": 31, "fatal": 31}
HIDDEN = {"event", "msg", "level", "timestamp", "ts", "service", "logger"}
KEPT_LINES = 200


class Log:
    """Writes to `stream`, and keeps the last lines for error messages."""

    def __init__(self, stream: TextIO = sys.stdout, *, raw_json: bool = False, colours: bool = False) -> None:
        self._stream, self._raw_json, self._colours = stream, raw_json, colours
        self._names: dict[str, int] = {}
        self._reader_gone = False
        self.recent: deque[tuple[str, str]] = deque(maxlen=KEPT_LINES)

    def say(self, text: str) -> None:
        """Log a message of the supervisor itself."""
        self._write("stack", text)

    def _write(self, name: str, text: str) -> None:
        if self._raw_json:
            stamp = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
            self._emit(json.dumps({"service": name, "event": text, "level": "info", "timestamp": stamp}))
            return
        label = self._paint(f"{name:<{NAME_WIDTH}}", COLOURS[self._names.setdefault(name, len(self._names)) % 10])
        self._emit(f"{label} │ {text}")

    def sink(self, name: str, noise: str | None) -> Callable[[str], None]:
        """A function that takes the lines of one program. Lines that match `noise` are left out."""
        ignored = re.compile(noise) if noise else None

        def take(line: str) -> None:
            if not line.strip() or (ignored and ignored.search(line)):
                return
            self.recent.append((name, line))
            if not self._raw_json:
                self._write(name, self._readable(line))
            elif _is_json(line):
                self._emit(line)
            else:
                self._write(name, line)

        return take

    def tail(self, name: str, count: int = 20) -> str:
        """The last lines of one program."""
        lines = [line for source, line in self.recent if source == name]
        return "\n".join(lines[-count:])

    def _emit(self, line: str) -> None:
        if self._reader_gone:
            return
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except BrokenPipeError:
            # The reader of the log has gone. The stack continues without it.
            self._reader_gone = True
        except OSError:
            # The disk is full. The line is written later, if there is room again.
            return

    def _readable(self, line: str) -> str:
        if not line.startswith("{"):
            return line
        try:
            record: dict[str, Any] = json.loads(line)
        except ValueError:
            return line
        level = str(record.get("level", "info"))
        event = record.get("event", record.get("msg", ""))
        details = " ".join(f"{key}={value}" for key, value in record.items() if key not in HIDDEN)
        painted = self._paint(f"{level:<7}", LEVEL_COLOURS.get(level, 90))
        return f"{_clock(record)} {painted} {event} {details}".rstrip()

    def _paint(self, text: str, colour: int) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colours else text


def _is_json(line: str) -> bool:
    if not line.startswith("{"):
        return False
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _clock(record: dict[str, Any]) -> str:
    """The local time of day of a record. Services give the time as ISO text, the gateway in seconds."""
    stamp = record.get("timestamp", record.get("ts"))
    try:
        moment = datetime.fromisoformat(stamp) if isinstance(stamp, str) else datetime.fromtimestamp(stamp or 0, UTC)
    except (TypeError, ValueError):
        moment = datetime.now(UTC)
    return moment.astimezone().strftime("%H:%M:%S")


def for_terminal() -> Log:
    """The log of this process. It is coloured on a terminal, unless NO_COLOR is set."""
    colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return Log(raw_json=os.environ.get("LOG_FORMAT") == "json", colours=colours)
