"""The process that sends one notice through Apprise: `python -m share_service.webhooks.notice_process`.

It gets a JSON object on its standard input (`url`, `title`, `body`, `networks`), and answers with one on its standard
output: `{"error": null}`, or the name of an `Outcome`.

Apprise speaks to more than a hundred services by several libraries, each with connections, redirects and options of
its own. None of them can be given our client for strangers' URLs. So all of it runs in a process of its own, in which
Python itself asks before it connects, opens a file or starts a program (PEP 578). Connections lead only to addresses
that other URLs of strangers may lead to, whatever a redirect or a name says, and nothing outside of Python's own
folders is read. The hook cannot be removed by the code that runs.
"""

import json
import logging
import os
import resource
import signal
import site
import sys
from enum import StrEnum
from ipaddress import ip_address
from typing import Any

from common.addresses import Network, parse_networks
from common.outbound.addresses import may_connect

MEMORY = 384 * 1024 * 1024
CPU_SECONDS = 20
SECONDS = 40
"""The longest that this process lives, also when nobody waits for it any more."""
PARTS = 2
"""A notice has as much text as so many messages of its service. They become a few more, as they end between words.
Apprise waits for up to 5.5 seconds between two, and a notice that takes too long counts as failed and is sent again."""
MORE = "… and {count} more"

_PROGRAMS = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "pty.spawn",
)
_CHANGES = (
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
    "os.chown",
)
_SYSTEM = (
    *("/usr/share/zoneinfo", "/etc/localtime", "/etc/mime.types"),
    *("/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/ssl/openssl.cnf", "/usr/share/ca-certificates"),
)


class Outcome(StrEnum):
    """The ways in which a notice fails."""

    NOT_UNDERSTOOD = "not_understood"
    ADDRESS_REFUSED = "address_refused"
    REFUSED = "refused"
    """It would read a file or run a program."""
    FAILED = "failed"


class Forbidden(Exception):
    """The code that runs may not do this."""


class Guard:
    """Refuses what no notice needs. Libraries hide the errors that it raises, so it remembers the first."""

    def __init__(self, allowed: tuple[Network, ...]) -> None:
        self._allowed = allowed
        self.refused: Outcome | None = None
        folders = [*sys.path, sys.prefix, sys.base_prefix, *site.getsitepackages(), *_SYSTEM]
        self._readable = tuple(os.path.realpath(folder) for folder in folders if folder)

    def install(self) -> None:
        sys.addaudithook(self._judge)

    def _judge(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            if not self._is_allowed(arguments[1]):
                self._refuse(Outcome.ADDRESS_REFUSED)
        elif event == "open":
            if not self._is_readable(arguments[0], arguments[2]):
                self._refuse(Outcome.REFUSED)
        elif event == "socket.bind":
            # To any port: a client's end, as some libraries try out what there is.
            if not isinstance(arguments[1], tuple) or arguments[1][1]:
                self._refuse(Outcome.REFUSED)
        elif event in _PROGRAMS or event in _CHANGES or event.startswith("syslog."):
            self._refuse(Outcome.REFUSED)

    def _refuse(self, outcome: Outcome) -> None:
        self.refused = self.refused or outcome
        raise Forbidden(outcome)

    def _is_allowed(self, address: object) -> bool:
        """Whether this is an address of the internet that may be connected to; names and local sockets are not."""
        try:
            return may_connect(ip_address(address[0]), self._allowed)  # type: ignore[index]
        except (ValueError, TypeError, IndexError):
            return False

    def _is_readable(self, path: object, flags: object) -> bool:
        if isinstance(path, int):
            return True
        if not isinstance(path, (str, bytes)) or (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)):
            return False
        real = os.path.realpath(os.fsdecode(path))
        return real in ("/dev/null", "/dev/urandom") or any(
            real == folder or real.startswith(folder + os.sep) for folder in self._readable
        )


def main() -> None:
    asked = json.loads(sys.stdin.buffer.read())
    answer = os.dup(sys.stdout.fileno())
    # Libraries write there what they like, URLs with secrets among it.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    logging.disable()
    signal.alarm(SECONDS)
    for limit, value in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_FSIZE, 0)):
        resource.setrlimit(limit, (value, value))
    guard = Guard(parse_networks(asked["networks"]))
    guard.install()
    outcome = _sent(guard, asked["url"], asked["title"], asked["body"])
    # To a pipe, which has no size.
    os.write(answer, json.dumps({"error": outcome}).encode())


def _sent(guard: Guard, url: str, title: str, body: str) -> Outcome | None:
    from apprise import Apprise, AppriseAsset, NotifyFormat, OverflowMode, PersistentStoreMode

    asset = AppriseAsset(
        app_id="Waystation",
        app_desc="Waystation",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        image_path_mask=False,
        async_mode=False,
        storage_mode=PersistentStoreMode.MEMORY,
    )
    try:
        service = Apprise.instantiate(url, asset=asset)  # pyright: ignore[reportUnknownMemberType]
        if service is None:
            return guard.refused or Outcome.NOT_UNDERSTOOD
        if service.overflow_mode is OverflowMode.UPSTREAM:
            # A service would refuse a text beyond its limit, now and at every later attempt.
            service.overflow_mode = OverflowMode.SPLIT
            body = _shortened(body, PARTS * service.body_maxlen)
        # By itself, the plugin of Telegram would take the text for HTML, whose tags strangers choose.
        services = Apprise(asset=asset)
        services.add(service)
        was_sent = services.notify(title=title, body=body, body_format=NotifyFormat.TEXT)
    except Exception:  # noqa: BLE001  (its text may hold the URL)
        was_sent = False
    return None if was_sent else guard.refused or Outcome.FAILED


def _shortened(body: str, most: int) -> str:
    """The lines of `body` that fit into `most` characters, and how many do not."""
    if len(body) <= most:
        return body
    lines, kept = body.split("\n"), list[str]()
    room = most - len(MORE.format(count=len(lines)))
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    if not kept:
        return f"{body[: most - 1]}…"
    return "\n".join((*kept, MORE.format(count=len(lines) - len(kept))))


if __name__ == "__main__":
    main()
