"""Ready-made configurations for uploading from programs, each with a session of its own that lasts half a year."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from auth_service.edge import context_of
from auth_service.sessions.model import Grant
from auth_service.sessions.own_sessions import open_session
from common.http.callers import InPerson
from common.http.public_url import base_url
from common.identity import Identity

router = APIRouter(prefix="/v1/account/uploaders", tags=["account"])

UPLOAD_PATH = "/api/upload/private"


@router.post("/sharex", response_class=JSONResponse)
async def create_sharex(request: Request, identity: InPerson) -> Response:
    """A custom uploader for ShareX: a file to open with it."""
    base = base_url(request, context_of(request).public_url)
    configuration = {
        "Version": "14.0.0",
        "Name": "Waystation",
        "DestinationType": "ImageUploader, TextUploader, FileUploader",
        "RequestMethod": "POST",
        "RequestURL": base + UPLOAD_PATH,
        "Parameters": {"include_ext": "true"},
        "Headers": {"Authorization": f"Bearer {await _token(request, identity, 'ShareX')}"},
        "Body": "MultipartFormData",
        "FileFormName": "file",
        "URL": "{json:file_url_full}",
        "DeletionURL": base + "/api/delete/{json:file_url}?key={json:key}",
        "ErrorMessage": "{json:message}",
    }
    headers = {"Content-Disposition": 'attachment; filename="waystation.sxcu"', "Cache-Control": "no-store"}
    return JSONResponse(configuration, headers=headers)


@router.post("/curl", response_class=PlainTextResponse)
async def create_curl(request: Request, identity: InPerson) -> Response:
    """A command line with curl, in which `FILE` stands for the file's path."""
    base = base_url(request, context_of(request).public_url)
    token = await _token(request, identity, "curl")
    line = f"curl -H 'Authorization: Bearer {token}' -F 'file=@FILE' '{base}{UPLOAD_PATH}?include_ext=true'\n"
    return PlainTextResponse(line, headers={"Cache-Control": "no-store"})


async def _token(request: Request, identity: Identity, label: str) -> str:
    return (await open_session(context_of(request), identity, Grant.token(label, bot=True))).token
