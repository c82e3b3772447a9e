"""A page of another origin that sends numbered parts past the services, by the lines of the guide for Uppy's plugin."""

import re
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from deploy.local.stack import StartedStack
from deploy.page import WEB
from tests.browser.test_other_origins import CLIENTS, VERIFYING, serving
from tests.conftest import ROOT, Engines, running_stack_on_s3

# It starts a system of its own, on an S3 server.
pytestmark = [pytest.mark.browser, pytest.mark.long]

PLACE = CLIENTS / "s3"
SIZE = 20 * 1024 * 1024 + 3
"""Two parts, as the guide cuts them."""
PAGE = """
import AwsS3 from '@uppy/aws-s3'
import Uppy from '@uppy/core'

window.send = async (HOST, size) => {
  const uppy = new Uppy()
  LINES
  const data = new File([new Uint8Array(size).map((_, at) => at % 251)], 'in parts.bin')
  uppy.addFile({ name: data.name, data })
  const { successful, failed } = await uppy.upload()
  return { urls: successful.map(({ uploadURL }) => uploadURL), failed: failed.map(({ error }) => String(error)) }
}
"""


@pytest.fixture(scope="module")
def on_s3(tmp_path_factory: pytest.TempPathFactory, engines: Engines) -> Iterator[StartedStack]:
    with running_stack_on_s3(tmp_path_factory, engines) as stack:
        yield stack


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page of another origin that has the lines of the guide."""
    programs = re.findall(r"```js\n(.*?)```", (ROOT / "docs" / "use.md").read_text(encoding="utf-8"), re.DOTALL)
    [lines] = [program for program in programs if "AwsS3" in program]
    page, folder = PLACE / "node_modules" / "page.mjs", tmp_path_factory.mktemp("elsewhere")
    page.write_text(PAGE.replace("LINES", lines.replace("HOST", "${HOST}")), encoding="utf-8")
    bundle = [str(WEB / "node_modules" / ".bin" / "rolldown"), str(page), "--format", "esm"]
    subprocess.run([*bundle, "--file", str(folder / "a.js")], check=True, capture_output=True, cwd=PLACE)
    with serving(folder) as address:
        yield address


def test_the_lines_of_the_guide_send_a_file_in_parts(browser: Browser, elsewhere: str, on_s3: StartedStack) -> None:
    with browser.new_context() as context:
        page, parts = context.new_page(), list[str]()
        page.on("request", lambda made: parts.append(made.url) if made.method == "PUT" else None)
        page.goto(elsewhere)
        page.wait_for_function("'send' in window")
        sent = page.evaluate("([host, size]) => send(host, size)", [on_s3.url, SIZE])
        assert sent["failed"] == []
        [url] = sent["urls"]
        assert len(parts) == 2
        assert all(part.startswith(f"{on_s3.url}/direct/") for part in parts)
        answer = context.request.get(url)
        while answer.status == VERIFYING:
            page.wait_for_timeout(50)
            answer = context.request.get(url)
        content = answer.body()
    assert content == bytes(at % 251 for at in range(SIZE))
