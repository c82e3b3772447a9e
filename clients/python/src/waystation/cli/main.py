"""The command `waystation` and its commands."""

from typing import Annotated

import typer

from waystation.cli import drop, lists, rooms
from waystation.cli.fetch import fetch
from waystation.cli.get import get
from waystation.cli.login import login, logout
from waystation.cli.send import send
from waystation.version import VERSION

# The values of variables would be secrets in a traceback.
app = typer.Typer(
    help="Send and fetch files of a Waystation server.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (send, get, fetch, login, logout):
    app.command()(command)
app.add_typer(lists.files_app, name="files")
app.add_typer(lists.shares_app, name="shares")
app.add_typer(rooms.app, name="rooms")
app.add_typer(drop.app, name="drop")
app.add_typer(lists.mirrors_app, name="mirrors")


def _tell_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"waystation {VERSION}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None: ...


def main() -> None:
    """Run the command."""
    app(prog_name="waystation")
