"""The files that the system needs beside its modules: in a checkout, or in the folder that a wheel carries."""

from pathlib import Path

CARRIED = Path(__file__).parents[1] / "carried"
"""The folder that `deploy.wheel` puts into a wheel. A checkout has none."""
ROOT = Path(__file__).parents[2]
PAGE = CARRIED / "page" if CARRIED.is_dir() else ROOT / "web" / "dist"
"""The web page, as `deploy.page` builds it. While it is not there, the gateway serves the API alone."""


def migrations(service: str) -> Path:
    """The folder of a service's migrations."""
    return CARRIED / "migrations" / service if CARRIED.is_dir() else ROOT / "services" / service / "migrations"
