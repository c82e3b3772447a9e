"""`waystation files`, `shares` and `mirrors`."""

from typing import Annotated

import typer

from waystation.cli.output import moment_text, size_text
from waystation.cli.session import JsonOption, QuietOption, ServerOption, Session, run

files_app = typer.Typer(help="Your files.", invoke_without_command=True, no_args_is_help=False)
shares_app = typer.Typer(help="Your shares.", invoke_without_command=True, no_args_is_help=False)
mirrors_app = typer.Typer(help="Mirrors, and the copies on them.", invoke_without_command=True, no_args_is_help=False)

FileArgument = Annotated[str, typer.Argument(help="The id of the file, as `waystation files` shows it.")]


@files_app.callback()
def list_files(
    context: typer.Context, server: ServerOption = None, as_json: JsonOption = False, quiet: QuietOption = False
) -> None:
    """List your files, the newest first."""
    if context.invoked_subcommand:
        return

    async def work(session: Session) -> None:
        found = await session.client.files()
        if as_json:
            session.output.json(found)
        elif quiet:
            for file in found:
                session.output.line(file.id)
        else:
            rows = [(file.id, size_text(file.size), moment_text(file.expires_at), file.name) for file in found]
            session.output.table(("id", "size", "ends", "name"), rows)

    run(work, server=server, as_json=as_json, quiet=quiet)


@files_app.command("delete")
def delete_file(file_id: FileArgument, server: ServerOption = None) -> None:
    """Delete a file. All its shares end."""
    run(lambda session: session.client.delete_file(file_id), server=server)


@shares_app.callback()
def list_shares(
    context: typer.Context, server: ServerOption = None, as_json: JsonOption = False, quiet: QuietOption = False
) -> None:
    """List your shares, the newest first."""
    if context.invoked_subcommand:
        return

    async def work(session: Session) -> None:
        found = await session.client.shares()
        if as_json:
            session.output.json(found)
        elif quiet:
            for share in found:
                session.output.line(share.code)
        else:
            session.output.table(
                ("code", "form", "state", "downloads", "ends", "name"),
                [
                    (
                        share.code,
                        share.form,
                        share.state,
                        str(share.downloads),
                        moment_text(share.expires_at),
                        share.name,
                    )
                    for share in found
                ],
            )

    run(work, server=server, as_json=as_json, quiet=quiet)


@shares_app.command("end")
def end_share(
    code: Annotated[str, typer.Argument(help="The code or the id of a share.")], server: ServerOption = None
) -> None:
    """End a share of yours."""
    run(lambda session: session.client.end_share(code), server=server)


@mirrors_app.callback()
def list_mirrors(
    context: typer.Context, server: ServerOption = None, as_json: JsonOption = False, quiet: QuietOption = False
) -> None:
    """List the mirrors that you may use."""
    if context.invoked_subcommand:
        return

    async def work(session: Session) -> None:
        found = await session.client.mirrors()
        if as_json:
            session.output.json(found)
        elif quiet:
            for mirror in found:
                session.output.line(str(mirror.id))
        else:
            rows = [
                (str(mirror.id), mirror.kind, "works" if mirror.is_well else "is down", mirror.name) for mirror in found
            ]
            session.output.table(("id", "kind", "state", "name"), rows)

    run(work, server=server, as_json=as_json, quiet=quiet)


@mirrors_app.command("of")
def copies_of(file_id: FileArgument, server: ServerOption = None, as_json: JsonOption = False) -> None:
    """List the copies of a file."""

    async def work(session: Session) -> None:
        found = await session.client.copies(file_id)
        if as_json:
            session.output.json(found)
        else:
            rows = [
                (copy.mirror, copy.state, size_text(copy.bytes_done), copy.error or copy.url or "") for copy in found
            ]
            session.output.table(("mirror", "state", "copied", "at"), rows)

    run(work, server=server, as_json=as_json)


@mirrors_app.command("copy")
def copy_to(
    file_id: FileArgument,
    mirrors: Annotated[list[int], typer.Argument(help="The ids of mirrors.")],
    server: ServerOption = None,
) -> None:
    """Have a file copied to mirrors."""
    run(lambda session: session.client.copy_to(file_id, mirrors), server=server)
