"""`waystation get`."""

import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs, unquote, urlsplit

import typer

from waystation.cli.output import Bars
from waystation.cli.session import (
    USUAL_PATIENCE,
    JsonOption,
    PasswordOption,
    PatienceOption,
    QuietOption,
    ServerOption,
    Session,
    asked_password,
    run,
)
from waystation.client import CONNECTIONS
from waystation.receiving import Received

STDOUT = Path("-")


def get(
    code: Annotated[str, typer.Argument(help="The code, or its link.")],
    into: Annotated[Path, typer.Option("--into", "-d", help="The folder for what is received.")] = Path(),
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file for a single item; - is standard output.")
    ] = None,
    password: PasswordOption = None,
    connections: Annotated[int, typer.Option("--connections", "-n", min=1, max=16)] = CONNECTIONS,
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite files of the same name.")] = False,
    server: ServerOption = None,
    patience: PatienceOption = USUAL_PATIENCE,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Receive what lies under a code. Interrupted, it goes on where it stopped when it is run again."""
    linked, wanted = code_of(code)

    async def work(session: Session) -> None:
        secret = asked_password(password)
        with Bars(session.output) as bars:
            if output == STDOUT:
                await session.client.pipe(wanted, sys.stdout.buffer.write, password=secret, progress=bars.progress)
                sys.stdout.buffer.flush()
                return
            if output is not None:
                one = await session.client.get_file(
                    wanted, output, password=secret, connections=connections, overwrite=force, progress=bars.progress
                )
                received = [one]
            else:
                received = await session.client.get(
                    wanted, into, password=secret, connections=connections, overwrite=force, progress=bars.progress
                )
        _show(session, received)

    run(work, server=linked or server, as_json=as_json, quiet=quiet, patience=patience, named=linked is None)


def code_of(text: str) -> tuple[str | None, str]:
    """The server (None: the usual one) and the code that a code or a link stands for."""
    if not text.startswith(("http://", "https://")):
        return None, text.strip()
    try:
        address = urlsplit(text)
    except ValueError:
        address = urlsplit("")
    code = parse_qs(address.query).get("code", [""])[0]
    head, _, last = address.path.rstrip("/").rpartition("/")
    if head.endswith("/c") and not code:
        code = unquote(last)
    if not code or "@" in address.netloc:
        raise typer.BadParameter("This is no link to a code.")
    return f"{address.scheme}://{address.netloc}", code


def _show(session: Session, received: list[Received]) -> None:
    output = session.output
    if output.as_json:
        items = [{"name": one.item.name, "size": one.item.size, "path": one.path, "text": one.text} for one in received]
        output.json({"items": items})
        return
    for one in received:
        if one.path is not None:
            output.line(str(one.path))
        elif one.text is not None:
            output.text(one.text)
