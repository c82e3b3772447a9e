"""`waystation send`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from waystation.cli.output import Bars, moment_text
from waystation.cli.paths import sources_of
from waystation.cli.qr import qr_lines
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
from waystation.errors import Unusable
from waystation.models import Share
from waystation.sources import Source
from waystation.terms import Expiry, Terms


def send(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files and folders; - is standard input.")] = None,
    text: Annotated[str | None, typer.Option("--text", "-t", help="Send this text; - reads it from a pipe.")] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", "-e", help="When it ends: 30m, 12h, 7d, 2w, 5x (downloads), never.")
    ] = None,
    password: PasswordOption = None,
    title: Annotated[str | None, typer.Option(help="A title for the receivers.")] = None,
    message: Annotated[str | None, typer.Option("--message", "-m", help="A message for the receivers.")] = None,
    code: Annotated[str | None, typer.Option(help="A code of your own choice.")] = None,
    words: Annotated[bool, typer.Option("--words", help="A code of words.")] = False,
    several: Annotated[
        bool, typer.Option("--several", help="Send the files of a folder one by one, instead of a zip.")
    ] = False,
    name: Annotated[str | None, typer.Option(help="Name of what comes by a pipe.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="Post it in this room, instead of making a code.")] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin again, even if an earlier attempt could go on.")
    ] = False,
    begun: Annotated[
        str | None,
        typer.Option("--continue", metavar="CODE", help="Send the rest of what your account has begun elsewhere."),
    ] = None,
    qr: Annotated[bool, typer.Option("--qr", help="Show a QR code as well.")] = False,
    server: ServerOption = None,
    patience: PatienceOption = USUAL_PATIENCE,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Send files, folders or a text, and get a code for them."""

    async def work(session: Session) -> None:
        terms = Terms(Expiry.parse(expires) if expires else None, asked_password(password), title, message, code, words)
        if begun is not None:
            if text is not None or to is not None or fresh or terms != Terms():
                raise Unusable("What was begun keeps its terms: --continue goes with files alone.")
            await _rest(session, begun, sources_of(paths or [], several, name), qr=qr)
            return
        if text is not None:
            if paths or to:
                raise Unusable("A text is sent by itself.")
            content = sys.stdin.read() if text == "-" else text
            share = await session.client.send_text(content, terms, on_share=lambda share: _announce(session, share, qr))
            if as_json:
                session.output.json(share)
        elif to is not None:
            await _to_room(session, to, sources_of(paths or [], several, name), terms, message)
        else:
            await _under_code(session, sources_of(paths or [], several, name), terms, resume=not fresh, qr=qr)

    run(work, server=server, as_json=as_json, quiet=quiet, patience=patience)


async def _under_code(session: Session, sources: list[Source], terms: Terms, *, resume: bool, qr: bool) -> None:
    with Bars(session.output) as bars:
        share = await session.client.send(
            sources,
            terms,
            resume=resume,
            on_share=lambda share: _announce(session, share, qr),
            progress=bars.progress,
        )
    if session.output.as_json:
        session.output.json(share)
    session.output.note("Sent and verified.")


async def _rest(session: Session, code: str, sources: list[Source], *, qr: bool) -> None:
    """Send the rest of what was begun elsewhere."""
    with Bars(session.output) as bars:
        share = await session.client.continue_sending(
            code, sources, on_share=lambda share: _announce(session, share, qr), progress=bars.progress
        )
    if session.output.as_json:
        session.output.json(share)
    session.output.note("Sent and verified.")


async def _to_room(session: Session, room: str, sources: list[Source], terms: Terms, text: str | None) -> None:
    with Bars(session.output) as bars:
        for source in sources:
            message = await session.client.send_to_room(room, source, terms, progress=bars.progress, text=text or "")
            if session.output.as_json:
                session.output.json(message)
            else:
                session.output.line(message.file_url or message.text)


def _announce(session: Session, share: Share, qr: bool) -> None:
    """Tell the code as soon as there is one: with many servers, before the first byte is sent."""
    output = session.output
    if output.quiet and not output.as_json:
        output.line(share.code)
    if not output.for_people:
        return
    output.line(f"Code: {share.code}")
    if share.url:
        output.line(f"Link: {share.url}")
    if share.expires_at:
        output.line(f"Ends: {moment_text(share.expires_at)}")
    output.line(f"Receive it by: waystation get {share.code}")
    if qr:
        for line in qr_lines(share.url or share.code):
            output.line(line)
