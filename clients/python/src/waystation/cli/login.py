"""`waystation login` and `logout`."""

import sys
from typing import Annotated

import typer

from waystation.cli.session import ServerOption, Session, run
from waystation.errors import NotSignedIn


def login(
    name: Annotated[str, typer.Argument(help="The name of your account.")],
    password: Annotated[
        str | None,
        typer.Option(
            "--password",
            "-p",
            envvar="WAYSTATION_LOGIN_PASSWORD",
            help="Password of the account. Without it, it is asked for, or read from a pipe.",
        ),
    ] = None,
    long: Annotated[bool, typer.Option("--long", help="Stay signed in for half a year, instead of five days.")] = False,
    server: ServerOption = None,
) -> None:
    """Sign in. The token is kept in a file that only you can read; the first server becomes the usual one."""

    async def work(session: Session) -> None:
        token = await session.client.log_in(name, _password(password), long=long)
        session.configuration.set_token(session.client.server, token)
        if session.configuration.server is None:
            session.configuration.set_server(session.client.server)
        session.output.note(f"Signed in at {session.client.server} as {name}.")

    run(work, server=server)


def logout(server: ServerOption = None) -> None:
    """End the session here and at the server."""

    async def work(session: Session) -> None:
        try:
            await session.client.log_out()
        except NotSignedIn:
            session.output.note("The session had ended already.")
        finally:
            session.configuration.set_token(session.client.server, None)

    run(work, server=server)


def _password(given: str | None) -> str:
    """The password of the account: asked for at a terminal, or read from a pipe."""
    if given is not None:
        return given
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")
