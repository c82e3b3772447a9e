"""`/v1/mirrors` and `/v1/files/{id}/mirrors`: rights, refusals, and secrets that are never shown."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.conftest import Engines, MakeDatabase
from tests.integration.auth.running import Person
from tests.integration.upload.content.test_own_files import CALLERS, problem
from tests.integration.upload.running_upload import UploadService, running_upload_service
from upload_service.context import Context
from upload_service.mirrors import replicating, upkeep

SECRET = "never-to-be-seen-again"
ADMINISTRATORS: list[tuple[str, str, Any, int]] = [
    ("GET", "/v1/mirrors/all", None, 200),
    ("POST", "/v1/mirrors", "new", 201),
    ("GET", "/v1/mirrors/{id}", None, 200),
    ("PATCH", "/v1/mirrors/{id}", {"parallel": 3}, 200),
    ("POST", "/v1/mirrors/{id}/probe", None, 200),
    ("DELETE", "/v1/mirrors/{id}", None, 204),
]
OWNERS: list[tuple[str, str, Any, tuple[int, ...]]] = [
    # owner, stranger, administrator, nobody, signed out
    ("GET", "", None, (200, 404, 200, 401, 401)),
    ("GET", "/events", None, (200, 404, 200, 401, 401)),
    ("POST", "", {"mirrors": []}, (202, 404, 403, 401, 401)),
    ("POST", "/{id}/retry", None, (202, 404, 403, 401, 401)),
    ("DELETE", "/{id}", None, (204, 404, 403, 401, 401)),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mirrors")


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, engines: Engines, folder: Path) -> Iterator[UploadService]:
    with running_upload_service(make_database, engines, mirror_folders=str(folder)) as service:
        yield service


@pytest.fixture(scope="module")
def owner(service: UploadService) -> Person:
    return service.auth.sign_up()


@pytest.fixture(scope="module")
def callers(service: UploadService, owner: Person) -> dict[str, httpx.Client]:
    return {who: service.caller(who, owner) for who in CALLERS}


@pytest.fixture(scope="module")
def administrator(callers: dict[str, httpx.Client]) -> httpx.Client:
    return callers["administrator"]


@pytest.fixture(autouse=True)
def _no_mirrors_of_other_tests(service: UploadService) -> Iterator[None]:
    yield
    service.ask("delete from replica")
    service.ask("delete from mirror")
    service.ask("delete from mirror_choice")


def new_mirror(folder: Path, **more: Any) -> dict[str, Any]:
    root = folder / secrets.token_hex(8)
    root.mkdir()
    return {"name": root.name, "kind": "fs", "options": {"root": str(root)}, **more}


def defined(administrator: httpx.Client, folder: Path, **more: Any) -> dict[str, Any]:
    answer = administrator.post("/v1/mirrors", json=new_mirror(folder, **more))
    assert answer.status_code == 201, answer.text
    return answer.json()


def work(service: UploadService) -> None:
    """Carry out the requests as a worker would."""

    async def work(context: Context) -> None:
        while True:
            await upkeep.sweep_replicas(context)
            asked = context.queue.replicas  # pyright: ignore[reportAttributeAccessIssue]
            if not asked:
                return
            while asked:
                await replicating.advance_replica(context, asked.pop())

    service.run(work)


@pytest.mark.parametrize("call", ADMINISTRATORS, ids=lambda call: f"{call[0]} {call[1]}")
def test_only_administrators_define_mirrors(
    callers: dict[str, httpx.Client], administrator: httpx.Client, folder: Path, call: tuple[Any, ...]
) -> None:
    method, path, body, status = call
    path = path.replace("{id}", str(defined(administrator, folder)["id"]))
    for who, expected in (("owner", 403), ("nobody", 401), ("signed out", 401), ("administrator", status)):
        asked = new_mirror(folder) if body == "new" else body
        answer = callers[who].request(method, path, json=asked)
        assert answer.status_code == expected, answer.text
        if expected >= 400:
            problem(answer, expected)


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("call", OWNERS, ids=lambda call: f"{call[0]} {call[1]}")
def test_only_its_owner_says_where_a_file_is_mirrored(
    service: UploadService,
    callers: dict[str, httpx.Client],
    owner: Person,
    folder: Path,
    call: tuple[Any, ...],
    who: str,
) -> None:
    method, path, body, statuses = call
    expected = statuses[CALLERS.index(who)]
    mirror_id = defined(callers["administrator"], folder, is_default=True)["id"]
    file_id = service.own_file(owner)
    work(service)
    path = f"/v1/files/{file_id}/mirrors{path.replace('{id}', str(mirror_id))}"
    answer = callers[who].request(method, path, json=body)
    assert answer.status_code == expected, answer.text
    if expected >= 400:
        problem(answer, expected)


def secret_mirrors(folder: Path) -> Iterator[dict[str, Any]]:
    away = "http://127.0.0.1:9"
    s3 = {"endpoint": away, "region": "x", "bucket": "files", "access_key_id": "a", "secret_access_key": SECRET}
    yield new_mirror(folder, kind="s3", options=s3)
    yield new_mirror(folder, kind="webdav", options={"endpoint": away, "username": "u", "password": SECRET})
    yield new_mirror(folder, kind="http", options={"url": away, "token": SECRET})


def test_secrets_are_in_no_answer_no_row_and_no_log_line(
    service: UploadService, administrator: httpx.Client, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    answers: list[httpx.Response] = []
    for spec in secret_mirrors(folder):
        made = administrator.post("/v1/mirrors", json=spec)
        assert made.status_code == 201, made.text
        path = f"/v1/mirrors/{made.json()['id']}"
        secret = made.json()["secrets"]
        assert len(secret) == 1
        assert not {*secret} & {*made.json()["options"]}
        answers += [
            made,
            administrator.get(path),
            administrator.patch(path, json={"parallel": 4}),
            administrator.patch(path, json={"options": {"nonsense": SECRET}}),
            administrator.patch(path, json={"options": {secret[0]: [SECRET]}}),
            administrator.patch(path, json={"parallel": SECRET}),
            administrator.post(f"{path}/probe"),
            administrator.post("/v1/mirrors", json=spec),
            administrator.get(path),
        ]
        assert [answer.status_code for answer in answers[-9:]] == [201, 200, 200, 400, 400, 400, 200, 409, 200]
        failed = answers[-3].json()
        assert (failed["error"], failed["step"]) == ("mirror_down", "sign_in")
        # Options that were not given again are still there.
        assert answers[-1].json()["secrets"] == secret
    answers.append(administrator.get("/v1/mirrors/all"))
    answers.append(service.client(service.auth.sign_up()).get("/v1/mirrors"))
    for answer in answers:
        assert SECRET not in answer.text
    assert SECRET not in str(service.ask("select mirror.*, convert_from(options, 'UTF8') from mirror"))
    assert SECRET not in "".join(capfd.readouterr())


def test_an_option_is_dropped_by_an_empty_text(administrator: httpx.Client, folder: Path) -> None:
    options = {"endpoint": "http://127.0.0.1:9", "root": "/x", "username": "u", "password": SECRET}
    made = administrator.post("/v1/mirrors", json=new_mirror(folder, kind="webdav", options=options)).json()
    path = f"/v1/mirrors/{made['id']}"
    changed = administrator.patch(path, json={"options": {"root": ""}}).json()
    assert changed["options"] == {"endpoint": "http://127.0.0.1:9", "username": "u"}
    assert changed["secrets"] == ["password"]
    problem(administrator.patch(path, json={"options": {"password": ""}}), 400)
    assert administrator.get(path).json() == changed


WRONG: list[dict[str, Any]] = [
    {"kind": "nonsense"},
    {"kind": "s3"},
    {"options": {"root": "/etc"}},
    {"options": {"root": "relative"}},
    {"options": {"root": 1}},
    {"options": None},
    {"options": {"root": "\0"}},
    {"name": ""},
    {"name": " "},
    {"name": "x" * 101},
    {"name": "a\nb"},
    {"name": "\0"},
    {"name": None},
    {"parallel": 0},
    {"parallel": 65},
    {"parallel": 10**30},
    {"parallel": "many"},
    {"link_pattern": "https://cdn.example/"},
    {"link_pattern": "javascript:{path}"},
    {"link_pattern": "ftp://x/{path}"},
    {"link_pattern": "https:///{path}"},
    {"link_pattern": "https://x/{path} y"},
    {"link_pattern": "https://x/{path}" + "x" * 2000},
    {"link_pattern": "https://[{path}"},
    {"accounts": ["nobody"]},
    {"accounts": "all"},
    {"is_default": None},
    {"unknown": 1},
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: json.dumps(wrong)[:60])
def test_what_is_not_right_of_a_mirror_is_400_and_changes_nothing(
    administrator: httpx.Client, folder: Path, wrong: dict[str, Any]
) -> None:
    problem(administrator.post("/v1/mirrors", json={**new_mirror(folder), **wrong}), 400)
    made = defined(administrator, folder)
    problem(administrator.patch(f"/v1/mirrors/{made['id']}", json=wrong), 400)
    shown = administrator.get("/v1/mirrors/all").json()["mirrors"]
    assert shown == [made]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 100_000, b'{"name": "\\ud800"}'])
def test_bodies_that_are_no_such_thing_are_4xx(
    service: UploadService, administrator: httpx.Client, owner: Person, folder: Path, body: bytes
) -> None:
    mirror_id, file_id = defined(administrator, folder)["id"], service.own_file(owner)
    client = service.client(owner)
    for caller, method, path in (
        (administrator, "POST", "/v1/mirrors"),
        (administrator, "PATCH", f"/v1/mirrors/{mirror_id}"),
        (client, "PUT", "/v1/mirrors/choice"),
        (client, "POST", f"/v1/files/{file_id}/mirrors"),
    ):
        answer = caller.request(method, path, content=body)
        problem(answer, 413 if len(body) > 64 * 1024 else 400)


def test_a_name_is_taken_by_one_mirror_alone(administrator: httpx.Client, folder: Path) -> None:
    first, second = defined(administrator, folder, name="Name"), defined(administrator, folder)
    problem(administrator.post("/v1/mirrors", json=new_mirror(folder, name="nAME")), 409)
    problem(administrator.patch(f"/v1/mirrors/{second['id']}", json={"name": "NAME"}), 409)
    assert administrator.patch(f"/v1/mirrors/{first['id']}", json={"name": "name"}).status_code == 200
    # A mirror that is being removed has given its name up.
    assert administrator.delete(f"/v1/mirrors/{first['id']}").status_code == 204
    assert administrator.patch(f"/v1/mirrors/{second['id']}", json={"name": "NAME"}).status_code == 200


@pytest.mark.parametrize("mirror_id", ["0", "-1", "2147483648", str(2**63), str(10**30)])
def test_mirrors_that_there_are_not_are_404(
    service: UploadService, administrator: httpx.Client, owner: Person, folder: Path, mirror_id: str
) -> None:
    file_id, client = service.own_file(owner), service.client(owner)
    problem(administrator.get(f"/v1/mirrors/{mirror_id}"), 404)
    problem(administrator.patch(f"/v1/mirrors/{mirror_id}", json={"parallel": 1}), 404)
    problem(administrator.delete(f"/v1/mirrors/{mirror_id}"), 404)
    problem(administrator.post(f"/v1/mirrors/{mirror_id}/probe"), 404)
    problem(client.put("/v1/mirrors/choice", json={"mirrors": [int(mirror_id)]}), 404)
    problem(client.post(f"/v1/files/{file_id}/mirrors", json={"mirrors": [int(mirror_id)]}), 404)
    problem(client.delete(f"/v1/files/{file_id}/mirrors/{mirror_id}"), 404)
    problem(client.post(f"/v1/files/{file_id}/mirrors/{mirror_id}/retry"), 404)
    for path in (f"/v1/files/{uuid4()}/mirrors", f"/v1/files/{uuid4()}/mirrors/events"):
        problem(client.get(path), 404)
    for path in ("/v1/mirrors/x", "/v1/files/x/mirrors", f"/v1/files/{file_id}/mirrors/x/retry"):
        assert 400 <= administrator.post(path).status_code < 500


def names(client: httpx.Client) -> dict[str, bool]:
    return {found["name"]: found["is_default"] for found in client.get("/v1/mirrors").json()["mirrors"]}


def wanted(client: httpx.Client, file_id: str) -> set[str]:
    return {found["mirror"] for found in client.get(f"/v1/files/{file_id}/mirrors").json()["mirrors"]}


def test_an_account_sees_and_uses_what_it_may(
    service: UploadService, administrator: httpx.Client, owner: Person, folder: Path
) -> None:
    client, stranger = service.client(owner), service.auth.sign_up()
    everybodys = defined(administrator, folder)
    own = defined(administrator, folder, accounts=[str(owner.id)])
    nobodys = defined(administrator, folder, accounts=[])
    off = defined(administrator, folder, is_enabled=False)
    assert set(names(client)) == {everybodys["name"], own["name"]}
    assert set(names(service.client(stranger))) == {everybodys["name"]}
    file_id = service.own_file(owner)
    for refused in (nobodys, off):
        asked = {"mirrors": [everybodys["id"], refused["id"]]}
        problem(client.post(f"/v1/files/{file_id}/mirrors", json=asked), 404)
        problem(client.put("/v1/mirrors/choice", json=asked), 404)
    assert wanted(client, file_id) == set()
    answer = client.post(f"/v1/files/{file_id}/mirrors", json={"mirrors": [everybodys["id"], own["id"]]})
    assert answer.status_code == 202
    assert wanted(client, file_id) == {everybodys["name"], own["name"]}
    theirs = service.own_file(stranger)
    problem(service.client(stranger).post(f"/v1/files/{theirs}/mirrors", json={"mirrors": [own["id"]]}), 404)


def test_files_go_to_the_default_mirrors_or_where_their_owner_chose(
    service: UploadService, administrator: httpx.Client, owner: Person, folder: Path
) -> None:
    client = service.client(owner)
    default, other = defined(administrator, folder, is_default=True), defined(administrator, folder)
    refused = defined(administrator, folder, is_default=True, accounts=[])
    assert names(client) == {default["name"]: True, other["name"]: False}
    assert wanted(client, service.own_file(owner)) == {default["name"]}
    chosen = client.put("/v1/mirrors/choice", json={"mirrors": [other["id"]]})
    assert {found["name"]: found["is_default"] for found in chosen.json()["mirrors"]} == names(client)
    assert names(client) == {default["name"]: False, other["name"]: True}
    assert wanted(client, service.own_file(owner)) == {other["name"]}
    client.put("/v1/mirrors/choice", json={"mirrors": []})
    plain = service.own_file(owner)
    assert wanted(client, plain) == set()
    client.put("/v1/mirrors/choice", json={"mirrors": None})
    assert wanted(client, service.own_file(owner)) == {default["name"]}
    # When none are named, an existing file goes to the mirrors of new ones.
    client.post(f"/v1/files/{plain}/mirrors", json={})
    assert wanted(client, plain) == {default["name"]}
    # A mirror that the account chose but may not use any longer takes nothing.
    client.put("/v1/mirrors/choice", json={"mirrors": [other["id"]]})
    administrator.patch(f"/v1/mirrors/{other['id']}", json={"accounts": []})
    assert wanted(client, service.own_file(owner)) == set()
    assert refused["name"] not in names(client)


def test_what_nobody_owns_is_mirrored_nowhere(
    service: UploadService, administrator: httpx.Client, folder: Path
) -> None:
    defined(administrator, folder, is_default=True)
    service.own_file(None)
    assert service.ask("select 1 from file_mirror union all select 1 from replica where state <> 'removed'") == []


def test_a_file_tells_where_it_is(
    service: UploadService, administrator: httpx.Client, owner: Person, folder: Path
) -> None:
    mirror = defined(administrator, folder, is_default=True, link_pattern="https://cdn.example/{path}")
    file_id, client = service.own_file(owner, b"content"), service.client(owner)
    path = f"/v1/files/{file_id}/mirrors"
    waiting = {"mirror_id": mirror["id"], "mirror": mirror["name"], "state": "queued", "bytes_done": 0}
    rest: dict[str, Any] = {"url": None, "error": None, "verified_at": None}
    assert client.get(path).json() == {"size": 7, "mirrors": [waiting | rest]}
    work(service)
    found = client.get(path).json()["mirrors"][0]
    assert (found["state"], found["bytes_done"]) == ("verified", 7)
    root = Path(mirror["options"]["root"])
    assert (root / found["url"].removeprefix("https://cdn.example/")).read_bytes() == b"content"
    assert administrator.get(f"/v1/mirrors/{mirror['id']}").json()["replicas"] == {"verified": 1}
    page = service.internal("POST", f"/internal/files/{UUID(file_id)}/page").json()
    assert [(mirror["state"], mirror["url"]) for mirror in page["mirrors"]] == [("verified", found["url"])]
    assert client.delete(f"{path}/{mirror['id']}").status_code == 204
    work(service)
    assert client.get(path).json() == {"size": 7, "mirrors": []}
    assert [file for file in root.rglob("*") if file.is_file()] == []
    problem(client.delete(f"{path}/{mirror['id']}"), 404)
