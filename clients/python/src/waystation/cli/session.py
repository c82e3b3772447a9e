"""The part that all commands share: their common options, the client, and the end with an exit code."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

import typer

from waystation.cli.exits import FAILED, INTERRUPTED, exit_code
from waystation.cli.output import Output
from waystation.client import AsyncClient
from waystation.configuration import Configuration
from waystation.connection import checked_server
from waystation.errors import SourceChanged, Temporary, Unusable, WaystationError

TOKEN = "WAYSTATION_TOKEN"  # noqa: S105 (the name of a variable)

ServerOption = Annotated[
    str | None, typer.Option("--server", "-s", envvar="WAYSTATION_SERVER", help="Address of the server.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as one line of JSON.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print only what a script needs.")]
PasswordOption = Annotated[
    str | None,
    typer.Option(
        "--password",
        "-p",
        envvar="WAYSTATION_PASSWORD",
        show_envvar=True,
        help="Password of the share; - asks for it. Others on this machine can see arguments, but not the variable.",
    ),
]
PatienceOption = Annotated[
    float, typer.Option("--patience", min=0, help="Seconds to go on trying while nothing gets further.")
]
USUAL_PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Session:
    """One run of the command."""

    client: AsyncClient
    output: Output
    configuration: Configuration


def run(
    work: Callable[[Session], Awaitable[None]],
    *,
    server: str | None = None,
    as_json: bool = False,
    quiet: bool = False,
    patience: float = USUAL_PATIENCE,
    named: bool = True,
) -> None:
    """Do the work of a command, and end with an exit code if it fails. `named`: the user has named this server."""
    output = Output(as_json=as_json, quiet=quiet)
    try:
        asyncio.run(_work(work, output, server, patience, named))
    except WaystationError as error:
        output.error(_sentence(error))
        raise typer.Exit(exit_code(error)) from None
    except KeyboardInterrupt:
        output.error("interrupted. Run the same again to go on.")
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # The reader of our output has gone. Python must not complain about it at its end as well.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(FAILED) from None


async def _work(
    work: Callable[[Session], Awaitable[None]], output: Output, server: str | None, patience: float, named: bool
) -> None:
    configuration = Configuration()
    address = server or configuration.server
    if not address:
        raise Unusable("Which server? Give --server, set WAYSTATION_SERVER, or sign in by `waystation login`.")
    address = checked_server(address)
    token = (os.environ.get(TOKEN) if named else None) or configuration.token(address)
    async with AsyncClient(address, token=token, patience=patience) as client:
        await work(Session(client, output, configuration))


def asked_password(password: str | None) -> str | None:
    """The password, asked for at the terminal if it is `-`."""
    return str(typer.prompt("Password", hide_input=True, err=True)) if password == "-" else password  # noqa: S105


def _sentence(error: WaystationError) -> str:
    text = error.message
    if not isinstance(error, Unusable | SourceChanged):
        # Those begin with a path or are sentences; the others may be what a server says.
        text = text[:1].upper() + text[1:]
    text = text if text.endswith((".", "?", "!")) else f"{text}."
    return f"{text} Run the same again to go on." if isinstance(error, Temporary) else text
