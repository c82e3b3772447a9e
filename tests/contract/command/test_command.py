"""The command `waystation` against the running system."""

import json
import secrets
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.contract.command.conftest import Command, unfinished

MIB = 1024 * 1024
MakeFile = Callable[..., Path]


def test_a_file_arrives_and_a_second_one_takes_another_name(
    command: Command, make_file: MakeFile, tmp_path: Path
) -> None:
    sent = make_file(20 * MIB + 7)
    code = command("send", "--quiet", sent).out.strip()
    first, second = (command("get", code, "--into", tmp_path / "in") for _ in range(2))
    assert (first.status, second.status) == (0, 0)
    assert [Path(done.out.strip()).name for done in (first, second)] == ["sent.bin", "sent (2).bin"]
    assert (tmp_path / "in" / "sent (2).bin").read_bytes() == sent.read_bytes()
    # Nothing is left of it: no partial file, no note of it.
    assert len(list((tmp_path / "in").iterdir())) == 2
    assert unfinished(command) == []


def test_an_empty_file_and_a_name_of_any_letters_arrive(command: Command, make_file: MakeFile, tmp_path: Path) -> None:
    code = command("send", "-q", make_file(0, "päper – 文件.txt")).out.strip()
    got = command("get", code, "-d", tmp_path / "in", "--json").json
    assert [Path(item["path"]).name for item in got["items"]] == ["päper – 文件.txt"]


def test_a_folder_arrives_as_a_zip(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "trip"
    (folder / "day 1").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "empty").touch()
    (folder / "day 1" / "photo.jpg").write_bytes(bytes(3 * MIB))
    code = command("send", "-q", folder).out.strip()
    command("get", code, "-o", tmp_path / "got.zip")
    with zipfile.ZipFile(tmp_path / "got.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["trip/a.txt", "trip/empty", "trip/day 1/photo.jpg"]


def test_several_files_come_under_one_code(command: Command, make_file: MakeFile, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    sent = [make_file(size, name) for name, size in (("a", 9 * MIB), ("tree/b", 0), ("tree/c", 3))]
    told = command("send", sent[0], tmp_path / "tree", "--several", "--json").json
    assert [(item["name"], item["state"]) for item in told["items"]] == [("a", "ready"), ("b", "ready"), ("c", "ready")]
    got = command("get", told["url"], "-d", tmp_path / "in", "--json").json
    assert [Path(item["path"]).read_bytes() for item in got["items"]] == [path.read_bytes() for path in sent]
    assert command("get", told["code"], "-o", tmp_path / "one").status == 2


def test_a_share_with_a_password_is_received_with_it_alone(
    command: Command, make_file: MakeFile, tmp_path: Path
) -> None:
    code = command("send", "-q", make_file(10), "--password", "gehéim").out.strip()
    get = ("get", code, "-d", tmp_path / "in")
    missing, wrong, right = command(*get), command(*get, "-p", "geheim"), command(*get, "-p", "gehéim")
    assert [missing.status, wrong.status, right.status] == [5, 5, 0]
    assert all("gehéim" not in done.out + done.err for done in (missing, wrong, right))


def test_a_code_is_chosen_or_made_of_words(command: Command) -> None:
    chosen = f"Trip-{secrets.token_hex(6)}"
    assert command("send", "-q", "--text", "x", "--code", chosen).out.strip() == chosen
    assert command("get", chosen.lower()).out == "x\n"
    taken = command("send", "--text", "y", "--code", chosen)
    assert (taken.status, taken.out) == (1, "")
    assert len(command("send", "-q", "--text", "x", "--words").out.strip().split("-")) == 4


def test_receiving_a_counted_text_takes_its_use(command: Command, stack: StartedStack, tmp_path: Path) -> None:
    code = command("send", "-q", "--text", "just once", "--expires", "1x").out.strip()
    got = command("get", code, "-d", tmp_path / "in")
    assert Path(got.out.strip()).read_text() == "just once"
    seen = httpx.get(f"{stack.url}/v1/codes/{code}")
    assert seen.status_code in (404, 410) or seen.json()["downloads_left"] == 0


def test_a_text_is_printed_and_a_terminal_would_not_obey_it(command: Command, tmp_path: Path) -> None:
    code = command("send", "-q", "--text", "hello\nworld").out.strip()
    assert command("get", code).out == "hello\nworld\n"
    assert command("get", code, "-o", tmp_path / "text").status == 0
    assert (tmp_path / "text").read_text() == "hello\nworld"


def test_a_pipe_brings_and_takes_bytes(command: Command, make_file: MakeFile) -> None:
    sent = make_file(3 * MIB).read_bytes()
    with command.start("send", "-", "--name", "piped.bin", "--json", stdin=-1) as process:
        out, err = process.communicate(sent)
    assert process.returncode == 0, err
    with command.start("get", json.loads(out)["code"], "-o", "-") as process:
        assert process.communicate()[0] == sent


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["get", "no-such-code"], 4),
        (["files"], 6),
        (["get"], 2),
        (["send", "/nowhere/at/all"], 2),
        (["send", "--text", "x", "--expires", "soon"], 2),
        (["send", "--text", "x", "--server", "ftp://example.org"], 2),
        (["get", "x", "--server", "http://127.0.0.1:9", "--patience", "0"], 3),
    ],
)
def test_scripts_know_by_the_exit_code_what_is_wrong(command: Command, arguments: list[str], status: int) -> None:
    done = command(*arguments)
    assert (done.status, done.out) == (status, "")
    assert done.err


def test_a_file_that_is_not_there_is_named_as_it_was_typed(command: Command) -> None:
    assert command("send", "nowhere").err == "waystation: nowhere: No such file or directory.\n"


def test_a_login_is_kept_where_nobody_else_can_read_it(
    command: Command, account: tuple[str, str], make_file: MakeFile
) -> None:
    name, password = account
    assert command("login", name, stdin="wrong\n").status == 5
    done = command("login", name, stdin=f"{password}\n")
    tokens = Path(command.environment["XDG_CONFIG_HOME"]) / "waystation" / "tokens.json"
    assert done.status == 0
    assert stat.S_IMODE(tokens.stat().st_mode) == 0o600
    assert stat.S_IMODE(tokens.parent.stat().st_mode) == 0o700
    token = next(iter(json.loads(tokens.read_text()).values()))
    told = [done, command("send", make_file(10)), command("shares", "--json"), command("files", "--json")]
    assert all(token not in one.out + one.err and password not in one.out + one.err for one in told)
    assert [file["name"] for file in told[3].json] == ["sent.bin"]
    assert command("files", "delete", told[3].json[0]["id"]).status == 0
    assert command("files", "--json").json == []
    assert command("logout").status == 0
    assert command("files").status == 6
    assert json.loads(tokens.read_text()) == {}


def test_a_file_is_posted_in_a_room(
    command: Command, stack: StartedStack, account: tuple[str, str], make_file: MakeFile
) -> None:
    name, password = account
    command("login", name, stdin=f"{password}\n")
    token = httpx.post(f"{stack.url}/v1/auth/login", json={"name": name, "password": password}).json()["token"]
    room = {"name": f"room of {name}"}
    httpx.post(f"{stack.url}/v1/rooms", json=room, headers={"Authorization": f"Bearer {token}"}).raise_for_status()
    sent = make_file(1000)
    assert command("rooms", "post", room["name"], "first").status == 0
    url = command("send", sent, "--to", room["name"], "-m", "see this").out.strip()
    assert httpx.get(url).content == sent.read_bytes()
    messages = command("rooms", "read", room["name"], "--json").json
    assert [(message["text"], message["file_name"]) for message in messages] == [
        ("first", None),
        ("see this", "sent.bin"),
    ]
    assert room["name"] in command("rooms", "--quiet").out
    assert command("rooms", "read", "no such room").status == 4


def test_the_server_fetches_a_url(command: Command, stack: StartedStack, account: tuple[str, str]) -> None:
    command("login", account[0], stdin=f"{account[1]}\n")
    code = command("send", "-q", "--text", "from afar").out.strip()
    source = f"{stack.url}/share/select/?code={code}"
    fetched = command("fetch", source, "--name", "fetched.txt", "--json").json
    assert (fetched["state"], fetched["name"]) == ("done", "fetched.txt")
    assert httpx.get(fetched["share_url"]).text == "from afar"
    assert command("fetch", source, "--sha256", "0" * 64).status == 1
