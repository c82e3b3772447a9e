"""`/manifest.webmanifest`: the page as an app that browsers install, with the name and the colour of this place."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from common.policy import Policy
from share_service.edge import context_of

MEDIA_TYPE = "application/manifest+json"
GROUND = "#f7f7f4"
ICONS = (
    {"src": "/icons/192.png", "sizes": "192x192", "type": "image/png"},
    {"src": "/icons/512.png", "sizes": "512x512", "type": "image/png"},
    {"src": "/icons/512-maskable.png", "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
)
SHARE_TARGET = {
    "action": "/share-target",
    "method": "POST",
    "enctype": "multipart/form-data",
    "params": {
        "title": "title",
        "text": "text",
        "url": "url",
        "files": [{"name": "files", "accept": ["*/*"]}],
    },
}

router = APIRouter(include_in_schema=False)


@router.api_route("/manifest.webmanifest", methods=["GET", "HEAD"])
async def read_manifest(request: Request) -> JSONResponse:
    """The manifest. The gateway asks for it unless the folder of the page has one of its own."""
    policy = await context_of(request).policy.current()
    headers = {"Cache-Control": "public, max-age=300"}
    return JSONResponse(_manifest(policy), headers=headers, media_type=MEDIA_TYPE)


def _manifest(policy: Policy) -> dict[str, Any]:
    return {
        "id": "/",
        "name": policy.name,
        "short_name": policy.name,
        "description": policy.description,
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": GROUND,
        "theme_color": policy.accent,
        "icons": ICONS,
        "shortcuts": [{"name": "Rooms", "url": "/rooms"}],
        "share_target": SHARE_TARGET,
    }
