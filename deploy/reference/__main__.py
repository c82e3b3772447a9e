"""Write the reference into the folder from which the gateway serves it: `python -m deploy.reference`."""

import shutil
from pathlib import Path

from deploy.reference.apps import without_engines
from deploy.reference.document import as_json, merged
from deploy.reference.page import FOLDER, page

SERVED = Path(__file__).parents[1] / "gateway" / "reference"


def files() -> dict[str, str]:
    """The content of each file, by its path in the served folder."""
    document = merged(app.openapi() for app in without_engines().values())
    return {
        "openapi.json": as_json(document),
        "docs.html": page(document),
        "docs/style.css": (FOLDER / "style.css").read_text(encoding="utf-8"),
    }


def main() -> None:
    shutil.rmtree(SERVED, ignore_errors=True)
    for name, content in files().items():
        path = SERVED / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
