"""The rules of the client that need no server: names, ends, zips, codes of links, QR codes, what is remembered."""

import io
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystation import Expiry, Terms, Unusable, ZipSource
from waystation import sources as sources_module
from waystation.cli.exits import BY_ERROR, FAILED, INTERRUPTED, USAGE
from waystation.cli.get import code_of
from waystation.cli.output import plain
from waystation.cli.qr import qr_lines
from waystation.connection import checked_server
from waystation.journal import Entry
from waystation.models import Item, Share
from waystation.names import LIMIT, for_terminal, safe_name

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/", "unnamed"),
        ("..", "unnamed"),
        ("", "unnamed"),
        (".bashrc", "bashrc"),
        ("a\nb\x1b[31m.txt", "ab[31m.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("CON.txt", "_CON.txt"),
        ("c:x", "c_x"),
        ("end. ", "end"),
        ("é" * 300 + ".jpeg", "é" * 97 + ".jpeg"),
    ],
)
def test_a_name_is_harmless_wherever_it_is_kept(sent: str, kept: str) -> None:
    assert safe_name(sent) == kept


@given(st.text())
def test_any_text_becomes_a_name_that_stays_in_its_folder(sent: str) -> None:
    name = safe_name(sent)
    assert name == safe_name(name)
    assert not name.startswith(".")
    assert 0 < len(name.encode()) <= LIMIT + 1
    assert (Path("/folder") / name).resolve().parent == Path("/folder")
    assert for_terminal(name) == name


def test_an_end_is_read_as_people_write_it() -> None:
    read = [(expiry.style, expiry.value) for expiry in map(Expiry.parse, ("30m", "12h", "7d", "2w", "5x", "never"))]
    assert read == [("minute", 30), ("hour", 12), ("day", 7), ("day", 14), ("count", 5), ("forever", 1)]
    for wrong in ("", "0d", "7", "7D", "-1d", "1.5h", "٣d"):
        with pytest.raises(Unusable):
            Expiry.parse(wrong)


@pytest.mark.parametrize("limit", [2**31 - 1, 1000])
def test_a_zip_has_the_size_that_was_planned_and_begins_anywhere(
    tmp_path: Path, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if files of a thousand bytes already needed the large fields.
    monkeypatch.setattr(sources_module, "_FIELDS_LIMIT", limit)
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", limit)
    folder = tmp_path / "tree"
    (folder / "ünder").mkdir(parents=True)
    (folder / "large").write_bytes(b"x" * 3000)
    (folder / "small").write_bytes(b"y")
    (folder / "ünder" / "last").write_bytes(b"z" * 1500)
    source = ZipSource(folder)
    content = b"".join(source.blocks(0))
    assert len(content) == source.size
    assert b"".join(source.blocks(4000)) == content[4000:]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["tree/large", "tree/small", "tree/ünder/last"]


def test_a_link_names_its_server_and_code() -> None:
    assert code_of(" AB12 ") == (None, "AB12")
    assert code_of("https://a.example/c/four-words-of-it") == ("https://a.example", "four-words-of-it")
    assert code_of("http://a.example:81/share/select/?code=AB12") == ("http://a.example:81", "AB12")


def test_a_server_is_an_address_of_http() -> None:
    assert checked_server("files.example.org/") == "https://files.example.org"
    assert checked_server("127.0.0.1:8080") == "http://127.0.0.1:8080"
    for wrong in ("", "ftp://a", "http://", "http://user:secret@a", "http://a?b", "http://a:port"):
        with pytest.raises(Unusable):
            checked_server(wrong)


def test_what_is_remembered_is_private_whole_and_belongs_to_one_process(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with Entry(folder, "send", ("a",)) as entry:
        entry.data = {"upload": "secret"}
        entry.save()
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
        with Entry(folder, "send", ("a",)) as other:
            assert (other.data, other.mark == entry.mark) == ({}, False)
    with Entry(folder, "send", ("a",)) as again:
        assert again.data == {"upload": "secret"}
        again.finish()
    assert list(folder.iterdir()) == []


def test_no_lock_is_left_of_a_transfer_that_cannot_be_resumed(tmp_path: Path) -> None:
    with Entry(tmp_path, "send", ("a",)) as entry:
        entry.data = {"upload": "secret"}
        entry.save()
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]
    # A process that was killed leaves its lock, which the next one removes; not one that somebody holds.
    (tmp_path / "send-killed.lock").touch()
    with Entry(tmp_path, "send", ("b",)), Entry(tmp_path, "send", ("c",)):
        assert len(list(tmp_path.glob("*.lock"))) == 2
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]


def test_the_command_starts_without_what_only_some_of_its_output_needs() -> None:
    code = "import sys, waystation.cli.main; print('rich' in sys.modules, 'pygments' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


@pytest.mark.parametrize(("typed", "offered"), [("se", "send"), ("drop c", "create")])
def test_a_shell_completes_commands(typed: str, offered: str) -> None:
    words = {"COMP_WORDS": f"waystation {typed}", "COMP_CWORD": str(len(typed.split()))}
    environment = {**os.environ, **words, "_WAYSTATION_COMPLETE": "complete_bash"}
    command = [sys.executable, "-m", "waystation"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [offered]


def test_a_password_is_recognised_and_not_kept() -> None:
    mark = Terms(password="sesame").mark()
    assert "sesame" not in mark
    assert [Terms(password=one).has_mark(mark) for one in ("sesame", "other", None)] == [True, False, False]
    assert Terms().has_mark(Terms().mark())
    assert not Terms(password="sesame").has_mark("")
    assert not Terms().has_mark(None)
    assert "sesame" not in repr(Terms(password="sesame"))


def test_keys_and_tickets_are_never_printed() -> None:
    share = Share("1", "AB12", None, items=(Item("2", "a", 1, "waiting", upload="ticket-1"),), key="key-1")
    assert "ticket-1" not in repr(share) + str(plain(share))
    assert "key-1" not in repr(share) + str(plain(share))


def test_a_qr_code_is_a_square_of_half_blocks() -> None:
    lines = qr_lines("https://files.example.org/c/AB12")
    assert len({len(line) for line in lines}) == 1
    assert set("".join(lines)) == set("█▀▄ ")
    assert len(lines) == (len(lines[0]) + 1) // 2


def test_the_exit_codes_are_documented() -> None:
    table = (ROOT / "docs" / "use.md").read_text(encoding="utf-8").partition("| exit code |")[2].partition("\n\n")[0]
    documented = {int(line.split("|")[1]) for line in table.splitlines()[2:]}
    assert documented == {0, FAILED, USAGE, INTERRUPTED, *(code for _, code in BY_ERROR)}
