"""The databases of other systems are read while those run, and as they were left; and their words do no harm."""

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.importing import sqlite
from deploy.importing.filecodebox import FileCodeBox
from deploy.importing.mirage import Mirage
from deploy.importing.model import Unreadable
from deploy.importing.working import Report
from tests.e2e.filecodebox_folder import Folder
from tests.e2e.mirage_store import Store


def texts(box: FileCodeBox) -> list[str | None]:
    return [share.text for share in box.shares()]


def test_a_database_in_wal_mode_is_read_from_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    """FileCodeBox uses that mode. When it is stopped, the files beside its database go."""
    Folder(tmp_path).share_text("ABCDE", "a text")
    with closing(sqlite3.connect(tmp_path / "filecodebox.db")) as database:
        assert database.execute("pragma journal_mode = wal").fetchone() == ("wal",)
    # Root can write to every folder. This stands in the way of the file that SQLite would make.
    (tmp_path / "filecodebox.db-shm").mkdir()
    assert texts(FileCodeBox(tmp_path)) == ["a text"]


def test_what_the_log_of_a_running_system_holds_is_read(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with closing(sqlite3.connect(tmp_path / "filecodebox.db")) as running:
        running.execute("pragma journal_mode = wal")
        folder.share_text("ABCDE", "in the log")
        assert texts(FileCodeBox(tmp_path)) == ["in the log"]


def test_the_other_system_can_write_while_its_shares_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BATCH", 2)
    folder = Folder(tmp_path)
    for number in range(5):
        folder.share_text(f"CODE{number}", str(number))
    shares = FileCodeBox(tmp_path).shares()
    assert next(shares).text == "0"
    with closing(sqlite3.connect(tmp_path / "filecodebox.db", timeout=0)) as running, running:
        running.execute("update filecodes set text = 'new' where code = 'CODE4'")
    assert [share.text for share in shares] == ["1", "2", "3", "new"]


def test_a_damaged_database_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "filecodebox.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(Unreadable, match="not a database"):
        FileCodeBox(tmp_path)
    folder = Folder(tmp_path / "data")
    for number in range(300):
        folder.share_text(f"CODE{number}", "x" * 1000)
    box = FileCodeBox(tmp_path / "data")
    content = (tmp_path / "data" / "filecodebox.db").read_bytes()
    (tmp_path / "data" / "filecodebox.db").write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))
    with pytest.raises(Unreadable, match="malformed"):
        texts(box)


def test_what_is_no_database_of_mirage_is_said_in_one_line(tmp_path: Path) -> None:
    store = Store(tmp_path / "mirage")
    old = Store(tmp_path / "old").path
    with closing(sqlite3.connect(old)) as database, database:
        database.execute("alter table rooms drop column password_hash")
    (tmp_path / "other").write_bytes(b"no database at all" * 100)
    expected = {
        tmp_path: f"there is no db.sqlite in {tmp_path}",
        tmp_path / "none": f"there is no {tmp_path / 'none'}",
        tmp_path / "other": f"{tmp_path / 'other'}: file is not a database",
        old: f"{old} is not Mirage's: no rooms.password_hash in it",
    }
    for path, words in expected.items():
        with pytest.raises(Unreadable, match=f"^{re.escape(words)}$"):
            Mirage(path)
    for number in range(300):
        store.add_message("a", "b", f"{number}" * 1000)
    mirage, content = Mirage(tmp_path / "mirage"), store.path.read_bytes()
    store.path.write_bytes(content[: len(content) // 2] + b"\xff" * (len(content) // 2))
    with pytest.raises(Unreadable, match="malformed"):
        list(mirage.messages())


def test_any_value_of_mirages_columns_is_read(tmp_path: Path) -> None:
    """SQLite keeps a value of any type in any column."""
    store = Store(tmp_path)
    store.insert("users", username=7, email=b"\xff", password=1.5, created_at="9999-99-99")
    store.insert("rooms", name=b"\xffroom", is_private=None, created_at=3)
    store.insert("inbox_messages", sender=7, recipient="b", message=b"a\xff", created_at="99999-01-01 00:00:00")
    mirage = Mirage(tmp_path)
    assert [(found.name, found.email, found.password_hash) for found in mirage.accounts()] == [("7", "\ufffd", "1.5")]
    assert [(found.name, found.is_private) for found in mirage.rooms()] == [("\ufffdroom", False)]
    (message,) = mirage.messages()
    assert (message.sender, message.text) == ("7", "a\ufffd")
    assert datetime.now(UTC) - message.created_at < timedelta(minutes=1)


def test_a_name_from_elsewhere_gives_the_terminal_no_order() -> None:
    report = Report()
    report.leave_out("AB\x1b[2JCD", "a file\nleft out: EF: 简历 is lost")
    assert report.left_out == ["AB\ufffd[2JCD: a file\ufffdleft out: EF: 简历 is lost"]
