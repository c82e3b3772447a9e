"""`waystation rooms`."""

import sys
from typing import Annotated

import typer

from waystation.cli.output import moment_text
from waystation.cli.session import JsonOption, QuietOption, ServerOption, Session, run

app = typer.Typer(help="Rooms and their messages.", invoke_without_command=True, no_args_is_help=False)

RoomArgument = Annotated[str, typer.Argument(help="The name or the id of a room.")]


@app.callback()
def list_rooms(
    context: typer.Context, server: ServerOption = None, as_json: JsonOption = False, quiet: QuietOption = False
) -> None:
    """List your rooms, and the public ones."""
    if context.invoked_subcommand:
        return

    async def work(session: Session) -> None:
        found = await session.client.rooms()
        if as_json:
            session.output.json(found)
        elif quiet:
            for room in found:
                session.output.line(room.name)
        else:
            rows = [(str(room.id), "member" if room.joined else "", room.name) for room in found]
            session.output.table(("id", "", "name"), rows)

    run(work, server=server, as_json=as_json, quiet=quiet)


@app.command("read")
def read(room: RoomArgument, server: ServerOption = None, as_json: JsonOption = False) -> None:
    """Print the messages of a room, the oldest first."""

    async def work(session: Session) -> None:
        found = await session.client.messages(room)
        if as_json:
            session.output.json(found)
            return
        for message in found:
            file = f" [{message.file_name}: {message.file_url}]" if message.file_url else ""
            session.output.line(f"{moment_text(message.created_at)} {message.name}: {message.text}{file}")

    run(work, server=server, as_json=as_json)


@app.command("post")
def post(
    room: RoomArgument,
    text: Annotated[str, typer.Argument(help="The message; - reads it from a pipe.")],
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Post a message."""

    async def work(session: Session) -> None:
        message = await session.client.post(room, sys.stdin.read() if text == "-" else text)
        if as_json:
            session.output.json(message)

    run(work, server=server, as_json=as_json)
