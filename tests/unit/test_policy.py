"""The rules for types of files."""

import pytest

from common.policy import Policy, TypeRefused

TEXTS = dict.fromkeys(("name", "description", "explain", "notify_title", "notify_content"), "")
SWITCHES = dict.fromkeys(("enable_chunk", "open_upload", "numeric_codes"), True)
NUMBERS = dict.fromkeys(
    ("upload_size", "max_save_seconds", "upload_count", "upload_minute", "error_count", "error_minute"), 1
)


def allows(rules: list[str], name: str) -> bool:
    try:
        Policy.model_validate(
            {**TEXTS, **SWITCHES, **NUMBERS, "expire_styles": ["day"], "allowed_file_types": rules}
        ).check_type(name)
    except TypeRefused:
        return False
    return True


@pytest.mark.parametrize(
    ("rules", "allowed", "refused"),
    [
        ([], ["a.exe", "README"], []),
        (["*"], ["a.exe", "README"], []),
        (["*/*"], ["a.exe", "README"], []),
        (["txt", ".ZIP"], ["a.txt", "A.TXT", "b.zip", ".txt"], ["a.exe", "txt", "README", "a.txt.exe", "a.mytxt"]),
        (["tar.gz"], ["a.tar.gz", "a.b.TAR.GZ"], ["a.gz", "a.tar", "atar.gz", "tar.gz"]),
        (["image/*"], ["a.png", "a.JPG", "a.tar.gif"], ["a.txt", "a.png.exe", "image", "README"]),
        (["image/png", "pdf"], ["a.png", "a.pdf"], ["a.gif"]),
        (["text/*", "IMAGE/*"], ["a.txt", "a.html", "a.gif"], ["a.mp4"]),
    ],
)
def test_a_name_is_judged_by_extensions_and_media_types(
    rules: list[str], allowed: list[str], refused: list[str]
) -> None:
    assert [name for name in allowed if not allows(rules, name)] == []
    assert [name for name in refused if allows(rules, name)] == []
