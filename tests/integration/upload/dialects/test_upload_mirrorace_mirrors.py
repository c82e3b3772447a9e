"""MirrorAce's mirrors: those that an account is told of, and those that its uploads ask for."""

import secrets
from collections.abc import Iterator
from uuid import UUID

import pytest

from tests.conftest import Engines, MakeDatabase
from tests.contract.mirrorace.wire import Sender, refused, succeeded
from tests.integration.upload.dialects.test_upload_mirrorace import LIMITS, new_sender, shared
from tests.integration.upload.running_upload import UploadService, running_upload_service


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, engines: Engines) -> Iterator[UploadService]:
    with running_upload_service(make_database, engines, **LIMITS) as service:
        yield service


@pytest.fixture
def sender(service: UploadService) -> Sender:
    return new_sender(service)


def _mirror(service: UploadService, name: str, **values: object) -> int:
    values = {"name": name, "kind": "folder", "options": b"x", "parallel": 1, "accounts": None, **values}
    columns, marks = ", ".join(values), ", ".join(["%s"] * len(values))
    statement = f"insert into mirror ({columns}) values ({marks}) returning id"
    return service.ask(statement, *values.values())[0][0]


@pytest.fixture
def mirrors(service: UploadService) -> Iterator[tuple[int, int, int]]:
    """Two mirrors for everybody, of which the second is a default one, and one for somebody else."""
    yield (
        _mirror(service, "a"),
        _mirror(service, "b", is_default=True),
        _mirror(service, "c", accounts=[UUID(int=1)]),
    )
    service.ask("delete from file_mirror")
    service.ask("delete from replica")
    service.ask("delete from mirror")


def test_mirrors_are_chosen(service: UploadService, sender: Sender, mirrors: tuple[int, int, int]) -> None:
    first, second, foreign = mirrors
    variables = sender.variables()
    assert variables["mirrors"] == {str(first): True, str(second): True, str(foreign): False}
    assert variables["default_mirrors"] == [str(second)]
    fields = sender.fields(variables)
    with service.nothing_left():
        refused(sender.post(fields, b"x"), "mirrors[] is missing")
        refused(sender.post([*fields, *(("mirrors[]", str(n)) for n in range(100, 104))], b"x"), "At most 3 mirrors")
    chosen: list[tuple[list[tuple[str, str]], list[int]]] = [
        ([("mirrors[]", str(first)), ("mirrors[]", str(second))], [first, second]),
        # Indexed, repeated, unknown, and another account's.
        ([(f"mirrors[{second}]", str(second)), ("mirrors[]", str(second)), ("mirrors[63]", "63")], [second]),
        # Nothing that the account may use: scripts have the numbers of another system's mirrors built in.
        ([("mirrors[]", str(foreign)), ("mirrors[]", "all")], [second]),
        ([("mirrors[]", "150"), ("mirrors[]", "260"), ("mirrors[]", "810")], [second]),
    ]
    for more, expected in chosen:
        for how in (None, "bytes 0-0/1"):
            result = succeeded(sender.post([*fields, *more], secrets.token_bytes(1), how))
            wanted = service.ask(
                "select mirror_id from file_mirror where file_id = %s order by mirror_id",
                shared(service, result)["file_id"],
            )
            assert [row[0] for row in wanted] == expected


def test_who_is_told_of_no_default_mirror_need_not_ask_for_any(
    service: UploadService, sender: Sender, mirrors: tuple[int, int, int]
) -> None:
    fields = sender.fields(sender.variables())
    service.ask("update mirror set is_default = false")
    assert succeeded(sender.post(fields, b"x"))["info"] == "complete"
    assert succeeded(sender.post(fields, b"0123456789", "bytes 0-9/11"))["info"] == "continue"
    # A file that has begun keeps its mirrors.
    service.ask("update mirror set is_default = true")
    assert succeeded(sender.post(fields, b"a", "bytes 10-10/11"))["info"] == "complete"
    refused(sender.post(fields, b"x"), "mirrors[] is missing")


def test_no_more_default_mirrors_are_told_of_than_may_be_asked_for(
    service: UploadService, sender: Sender, mirrors: tuple[int, int, int]
) -> None:
    for name in "defgh":
        _mirror(service, name, is_default=True)
    variables = sender.variables()
    chosen = [("mirrors[]", mirror) for mirror in variables["default_mirrors"]]
    assert len(chosen) == int(variables["max_mirrors"])
    succeeded(sender.post([*sender.fields(variables), *chosen], b"x"))
