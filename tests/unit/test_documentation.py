"""The documents name files, sections and make targets that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")] + sorted(
    (ROOT / "docs").rglob("*.md")
)
FOLDERS = [ROOT, ROOT / "libs" / "common" / "src", *ROOT.glob("services/*/src"), *ROOT.glob("services/*/src/*_service")]
"""The folders that paths in the text may be relative to."""


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=names(DOCUMENTS))
def test_links_lead_to_files_and_sections(document: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=names(DOCUMENTS))
def test_modules_and_folders_named_in_the_text_exist(document: Path) -> None:
    if "adr" in document.parts:
        return  # Decision records may name modules of the past.
    for name in re.findall(r"`([a-z_]+(?:/[a-z_0-9]+)*(?:/|\.py))`", document.read_text(encoding="utf-8")):
        assert any((folder / name).exists() or any(folder.glob(f"*/{name}")) for folder in FOLDERS), name


def test_make_targets_in_the_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for document in DOCUMENTS:
        for command in re.findall(r"`(?:[A-Z_]+=\S+ )*make ((?:[a-z-]+ ?)+)", document.read_text(encoding="utf-8")):
            assert set(command.split()) <= targets, f"make {command} in {document.name}"
