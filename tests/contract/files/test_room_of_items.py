"""The room that the items of shares take: from the owner of the share, whoever sends them."""

import secrets

import httpx

from deploy.local import credentials
from deploy.local.stack import StartedStack
from tests.contract.conftest import client_of
from tests.contract.files.items import fill, send, until_complete
from tests.contract.fileuploader import wire
from tests.integration.upload.dialects.tus_client import HEADERS, begun, create, metadata, patch

UNMEASURED = {"Upload-Concat": "partial", "Upload-Defer-Length": "1"}


def test_an_item_is_begun_again_in_the_room_of_its_first_upload(stack: StartedStack, client: httpx.Client) -> None:
    password = credentials.load(stack.folder)["admin_password"]
    answer = client.post("/api/login", json={"username": "admin", "password": password})
    administrator = wire.bearer(wire.succeeded(answer)["accessToken"])
    with client_of(stack, **wire.bearer(wire.register(client))) as owner:
        account = owner.get("/v1/account").json()["id"]
        limits = {"bytes": 5, "files": 1}
        assert client.put(f"/v1/admin/quotas/{account}", json=limits, headers=administrator).status_code == 204
        share = send(owner, {"name": "a", "size": 5})
        [item] = share["items"]
        first = begun(owner, 5, Upload_Metadata=metadata(item=item["upload"]))
        patch(owner, first, 0, b"123")
        assert fill(owner, item, b"12345").headers["Waystation-File"]
        assert owner.head(first, headers=HEADERS).status_code == 404
        until_complete(owner, share["code"])


def test_pieces_of_an_item_take_room_from_the_owner_of_the_share(stack: StartedStack, client: httpx.Client) -> None:
    content = secrets.token_bytes(8)
    with client_of(stack, **wire.bearer(wire.register(client))) as owner:
        share = send(owner, {"name": "a", "size": len(content)})
        item = metadata(item=share["items"][0]["upload"])
        # The ticket is enough to send them.
        pieces = [begun(client, 4, Upload_Concat="partial", Upload_Metadata=item) for _ in range(2)]
        assert owner.get("/v1/account/usage").json()["reserved_bytes"] == len(content)
        too_long = create(client, 9, Upload_Concat="partial", Upload_Metadata=item)
        unknown = client.post(
            "/files/",
            headers={**HEADERS, "Upload-Concat": "partial", "Upload-Defer-Length": "1", "Upload-Metadata": item},
        )
        for refused in (too_long, unknown):
            assert (refused.status_code, refused.json()["code"]) == (400, "item_size")
        for number, piece in enumerate(pieces):
            assert patch(client, piece, 0, content[4 * number :][:4]).status_code == 204
        final = {"Upload-Concat": f"final;{' '.join(pieces)}", "Upload-Metadata": item}
        assert client.post("/files/", headers={**HEADERS, **final}).status_code == 201
        until_complete(client, share["code"])
        usage = owner.get("/v1/account/usage").json()
        assert (usage["bytes"], usage["files"], usage["reserved_bytes"]) == (len(content), 1, 0)


def test_a_ticket_takes_no_more_room_than_a_few_attempts_need(stack: StartedStack, client: httpx.Client) -> None:
    with client_of(stack, **wire.bearer(wire.register(client))) as owner:
        share = send(owner, {"name": "a", "size": 8})
        item = metadata(item=share["items"][0]["upload"])
        pieces = [begun(client, 8, Upload_Concat="partial", Upload_Metadata=item) for _ in range(4)]
        more = create(client, 1, Upload_Concat="partial", Upload_Metadata=item)
        assert (more.status_code, more.json()["code"]) == (400, "item_size")
        assert client.delete(pieces[0], headers=HEADERS).status_code == 204
        assert begun(client, 8, Upload_Concat="partial", Upload_Metadata=item)
        assert owner.get("/v1/account/usage").json()["reserved_bytes"] == 4 * 8
