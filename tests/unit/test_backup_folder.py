"""The folder of backups: what stays when old ones are forgotten."""

import hashlib
from pathlib import Path

import pytest

from deploy.backup.errors import Damaged
from deploy.backup.folder import CONTENTS, BackupFolder, Content, Manifest, digest_of, line_of


def make(folder: BackupFolder, *contents: bytes) -> Path:
    """A backup that needs these contents."""
    with folder.writing() as made:
        with (made / CONTENTS).open("w") as names:
            for content in contents:
                sha256 = hashlib.sha256(content).hexdigest()
                folder.content(sha256).parent.mkdir(parents=True, exist_ok=True)
                folder.content(sha256).write_bytes(content)
                names.write(line_of(Content("blobs/a", len(content), sha256)))
        files = {CONTENTS: digest_of(made / CONTENTS) or ""}
        return folder.publish(made, Manifest("0.1.0", folder.new_name(), {}, files, len(contents), 0))


def kept(folder: BackupFolder) -> set[bytes]:
    return {path.read_bytes() for path in folder.root.glob("contents/*/*/*")}


def test_what_the_kept_backups_need_stays(tmp_path: Path) -> None:
    folder = BackupFolder(tmp_path)
    for contents in ((b"old", b"both"), (b"both", b"new")):
        make(folder, *contents)
    with folder.writing():
        assert folder.forget(1) == (1, 1)
    assert kept(folder) == {b"both", b"new"}


def test_nothing_is_removed_while_the_list_of_a_kept_backup_is_damaged(tmp_path: Path) -> None:
    folder = BackupFolder(tmp_path)
    make(folder, b"old")
    names = make(folder, b"new") / CONTENTS
    digit = names.read_text()[0]
    names.write_text(("0" if digit != "0" else "1") + names.read_text()[1:])
    with pytest.raises(Damaged, match="contents is not as it was written"), folder.writing():
        folder.forget(1)
    assert (len(folder.names()), kept(folder)) == (2, {b"old", b"new"})
