"""A web page of the operator's own under Compose: the gateway serves it, and the share service fills it in."""

import re
import subprocess

import pytest

from tests.unit.test_compose_settings import SERVICES

PRINTED = 'echo "${GATEWAY_PAGE-unset} ${WEB_CSP-unset}"'


def interpolated(text: str, root: str) -> str:
    """The text as Compose reads it with this `WEB_ROOT`."""
    text = re.sub(r"\$\{WEB_ROOT:\+([^}]*)\}", lambda found: found[1] if root else "", text)
    return re.sub(r"\$\{WEB_ROOT:-([^}]*)\}", lambda found: root or found[1], text)


@pytest.mark.parametrize(
    ("root", "rules", "expected"),
    [
        ("/theme", "default-src 'self'", "filled default-src 'self'"),
        ("/theme", None, "filled unset"),
        # Nothing changes the rules of the page that comes with the system.
        ("", "default-src *", "unset unset"),
        ("", None, "unset unset"),
    ],
)
def test_the_gateway_has_a_page_filled_in_only_if_it_is_ones_own(root: str, rules: str | None, expected: str) -> None:
    gateway = SERVICES["gateway"]
    (line,) = (line for line in gateway["command"][-1].splitlines() if "GATEWAY_PAGE" in line)
    environment = {"GATEWAY_PAGE": interpolated(gateway["environment"]["GATEWAY_PAGE"], root)}
    assert gateway["environment"]["WEB_CSP"] is None
    if rules is not None:
        environment["WEB_CSP"] = rules
    script = f"set -eu\n{line.replace('$$', '$')}\n{PRINTED}"
    ran = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == expected


@pytest.mark.parametrize(
    ("root", "source", "document"), [("/theme", "/theme", "/srv/page/index.html"), ("", "page", "")]
)
def test_the_service_that_fills_it_in_sees_the_folder_that_the_gateway_serves(
    root: str, source: str, document: str
) -> None:
    for name in ("gateway", "share"):
        volumes = [interpolated(volume, root) for volume in SERVICES[name]["volumes"] if isinstance(volume, str)]
        assert f"{source}:/srv/page:ro" in volumes, name
    assert interpolated(SERVICES["share"]["environment"]["PAGE_DOCUMENT"], root) == document
