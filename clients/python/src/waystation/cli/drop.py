"""`waystation drop`."""

from pathlib import Path
from typing import Annotated

import typer

from waystation.cli.output import Bars, moment_text
from waystation.cli.paths import sources_of
from waystation.cli.session import (
    USUAL_PATIENCE,
    JsonOption,
    PatienceOption,
    QuietOption,
    ServerOption,
    Session,
    run,
)
from waystation.drops import DropTerms
from waystation.models import Drop
from waystation.terms import Expiry

app = typer.Typer(
    help="Drop-offs: codes by which others send files to you.", invoke_without_command=True, no_args_is_help=False
)

CodeArgument = Annotated[str, typer.Argument(help="The code of a drop-off.")]


@app.callback()
def list_drops(
    context: typer.Context, server: ServerOption = None, as_json: JsonOption = False, quiet: QuietOption = False
) -> None:
    """List your drop-offs."""
    if context.invoked_subcommand:
        return

    async def work(session: Session) -> None:
        found = await session.client.drops()
        if as_json:
            session.output.json(found)
        elif quiet:
            for drop in found:
                session.output.line(drop.code)
        else:
            rows = [(drop.code, _state(drop), str(drop.received), drop.title) for drop in found]
            session.output.table(("code", "state", "came", "title"), rows)

    run(work, server=server, as_json=as_json, quiet=quiet)


@app.command("create")
def create(
    title: Annotated[str, typer.Argument(help="The title that senders see.")],
    greeting: Annotated[str | None, typer.Option(help="A text for the senders.")] = None,
    expires: Annotated[str | None, typer.Option("--expires", "-e", help="When it ends: 30m, 12h, 7d, 2w.")] = None,
    size_limit: Annotated[int | None, typer.Option(min=1, help="The most bytes of one delivery.")] = None,
    item_limit: Annotated[int | None, typer.Option(min=1, help="The most files of one delivery.")] = None,
    share_limit: Annotated[int | None, typer.Option(min=1, help="The most deliveries.")] = None,
    types: Annotated[
        list[str] | None, typer.Option("--type", help="An extension or media type that it takes; may be repeated.")
    ] = None,
    code: Annotated[str | None, typer.Option(help="A code of your own choice.")] = None,
    words: Annotated[bool, typer.Option("--words", help="A code of words.")] = False,
    server: ServerOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make a code by which others send files to you."""

    async def work(session: Session) -> None:
        expiry = Expiry.parse(expires) if expires else None
        terms = DropTerms(greeting, size_limit, item_limit, share_limit, tuple(types or ()), expiry, code, words)
        _tell(session, await session.client.create_drop(title, terms))

    run(work, server=server, as_json=as_json, quiet=quiet)


@app.command("show")
def show(code: CodeArgument, server: ServerOption = None, as_json: JsonOption = False) -> None:
    """Show the drop-off of somebody: what it takes, and until when."""

    async def work(session: Session) -> None:
        _tell(session, await session.client.look_at_drop(code))

    run(work, server=server, as_json=as_json)


@app.command("send")
def send(
    code: CodeArgument,
    paths: Annotated[list[Path] | None, typer.Argument(help="Files and folders; - is standard input.")] = None,
    title: Annotated[str | None, typer.Option(help="A title for the receiver.")] = None,
    message: Annotated[str | None, typer.Option("--message", "-m", help="A message for the receiver.")] = None,
    several: Annotated[
        bool, typer.Option("--several", help="Send the files of a folder one by one, instead of a zip.")
    ] = False,
    name: Annotated[str | None, typer.Option(help="Name of what comes by a pipe.")] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin again, even if an earlier attempt could go on.")
    ] = False,
    server: ServerOption = None,
    patience: PatienceOption = USUAL_PATIENCE,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Send files to somebody by the code of a drop-off. You need no account."""

    async def work(session: Session) -> None:
        with Bars(session.output) as bars:
            share = await session.client.deliver(
                code,
                sources_of(paths or [], several, name),
                title=title,
                message=message,
                resume=not fresh,
                progress=bars.progress,
            )
        if as_json:
            session.output.json(share)
        session.output.note("Sent and verified.")

    run(work, server=server, as_json=as_json, quiet=quiet, patience=patience)


@app.command("end")
def end(code: CodeArgument, server: ServerOption = None) -> None:
    """End a drop-off of yours. What came by it stays."""

    async def work(session: Session) -> None:
        await session.client.end_drop(code)
        session.output.note("It has ended.")

    run(work, server=server)


def _tell(session: Session, drop: Drop) -> None:
    output = session.output
    if output.as_json:
        output.json(drop)
        return
    if output.quiet:
        output.line(drop.code)
        return
    output.line(f"Code: {drop.code}")
    if drop.url:
        output.line(f"Link: {drop.url}")
    output.line(f"Title: {drop.title}")
    if drop.greeting:
        output.line(drop.greeting)
    if drop.types:
        output.line(f"Takes: {', '.join(drop.types)}")
    output.line(f"State: {_state(drop)}")
    if drop.is_open:
        output.line(f"Send by: waystation drop send {drop.code} FILE")


def _state(drop: Drop) -> str:
    if not drop.is_open:
        return "ended"
    return f"open until {moment_text(drop.expires_at)}" if drop.expires_at else "open"
