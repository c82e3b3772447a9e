"""Mirrors on a machine that has no certificate authority, such as a small image."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import asyncio, os
from upload_service.mirrors.drivers.opendal_base import operator_of, translated

async def look():
    async with translated():
        await operator_of("webdav", {"endpoint": "http://127.0.0.1:1"}).stat("x")

try:
    asyncio.run(look())
except Exception as error:
    print(type(error).__name__, os.environ["SSL_CERT_FILE"], flush=True)
# The threads of OpenDAL may crash an interpreter that ends under them.
os._exit(0)
"""


@pytest.mark.parametrize("has_own", [False, True], ids=["without", "with its own"])
def test_a_mirror_can_be_asked_without_any_authority(tmp_path: Path, has_own: bool) -> None:
    (tmp_path / "empty").mkdir()
    own = Path(__file__).parents[3] / "authority.pem" if has_own else tmp_path / "missing.pem"
    environment = {"SSL_CERT_FILE": str(own), "SSL_CERT_DIR": str(tmp_path / "empty")}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    # The failure is logged as well.
    error, trusted = done.stdout.splitlines()[-1].split()
    assert error == "MirrorDown"
    assert (trusted == str(own)) == has_own
