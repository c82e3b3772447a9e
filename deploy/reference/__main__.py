"""Write the reference into the folder from which the gateway serves it, and the page's types from the same document.

python -m deploy.reference
"""

import json
import shutil
from pathlib import Path

from deploy.reference.apps import without_engines
from deploy.reference.document import as_json, merged
from deploy.reference.page import page
from deploy.reference.typescript import types

SERVED = Path(__file__).parents[1] / "gateway" / "reference"
STYLE = SERVED / "docs" / "style.css"
"""The one file of the folder that is not made."""
TYPES = Path(__file__).parents[2] / "web" / "src" / "api" / "types.ts"
"""The types of the API for the web page."""


def files() -> dict[str, str]:
    """The content of each file, by its path in the served folder."""
    document = merged(app.openapi() for app in without_engines().values())
    return {
        "openapi.json": as_json(document),
        "docs.html": page(document),
        "docs/style.css": STYLE.read_text(encoding="utf-8"),
    }


def main() -> None:
    made = files()
    shutil.rmtree(SERVED)
    for name, content in made.items():
        path = SERVED / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    TYPES.write_text(types(json.loads(made["openapi.json"])), encoding="utf-8")


if __name__ == "__main__":
    main()
