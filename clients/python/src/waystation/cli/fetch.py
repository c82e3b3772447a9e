"""`waystation fetch`."""

from typing import Annotated

import typer

from waystation.cli.exits import FAILED
from waystation.cli.output import Bars
from waystation.cli.session import (
    USUAL_PATIENCE,
    JsonOption,
    PatienceOption,
    QuietOption,
    ServerOption,
    Session,
    run,
)
from waystation.models import Fetch
from waystation.progress import Step


def fetch(
    url: Annotated[str, typer.Argument(help="What the server shall fetch.")],
    name: Annotated[str | None, typer.Option(help="Name of the file.")] = None,
    sha256: Annotated[str | None, typer.Option(help="The SHA-256 that it must have, in hex.")] = None,
    code: Annotated[bool, typer.Option("--code", help="Share it by a code, instead of a link.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait until it is there.")] = False,
    server: ServerOption = None,
    patience: PatienceOption = USUAL_PATIENCE,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Have the server fetch a URL and share it."""

    async def work(session: Session) -> None:
        job = begun = await session.client.fetch(url, name=name, sha256=sha256, form="code" if code else "link")
        if not detach:
            with Bars(session.output) as bars:
                async for job in session.client.watch(begun):
                    bars.progress(Step(job.id, job.name or job.url, job.bytes_done, job.size or 0))
        _show(session, job)

    run(work, server=server, as_json=as_json, quiet=quiet, patience=patience)


def _show(session: Session, job: Fetch) -> None:
    if session.output.as_json:
        session.output.json(job)
    elif job.state == "done":
        session.output.line(job.share_url or job.code or job.id)
    elif not job.is_settled:
        session.output.line(job.id)
    if job.is_settled and job.state != "done":
        session.output.error(job.detail or job.error or "the fetch was canceled")
        raise typer.Exit(FAILED)
