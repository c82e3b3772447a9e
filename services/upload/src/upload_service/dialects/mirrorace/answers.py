"""MirrorAce: the answers to uploads (section 4 of its contract). Sizes are sent as text."""

from fastapi import Request, Response

from common.dialects import mirrorace as dialect
from common.http.public_url import base_url
from upload_service.context import Context


def complete(context: Context, request: Request, name: str, size: int, slug: str) -> Response:
    """The answer when a file has its page. `size` in bytes."""
    url = f"{base_url(request, context.public_url)}/m/{slug}"
    return _answer(name, size, slug=slug, url=url, info="complete")


def pending(name: str, size: int) -> Response:
    """The answer to every chunk but the last. `size`: of the whole file, in bytes."""
    return _answer(name, size, info="continue")


def _answer(name: str, size: int, **more: str) -> Response:
    return dialect.success({"name": name, "size": str(size), **more})
