"""The gateway: Caddy with `deploy/gateway/Caddyfile`, which gets its addresses from here."""

import signal
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local import binaries, probes
from deploy.local.places import PAGE
from deploy.local.program import Program

CADDYFILE = Path(__file__).parents[1] / "gateway" / "Caddyfile"
REFERENCE = CADDYFILE.with_name("reference")
"""The reference of the API, which `make reference` writes."""
ROUTED = ("auth", "upload", "share", "chat")
"""The services that the gateway routes to."""
NOISE = r"admin endpoint disabled|HTTP/2 skipped because it requires TLS|exiting; byeee"


def program(
    data: Path,
    *,
    host: str,
    port: int,
    service_ports: Mapping[str, int],
    store: Mapping[str, str],
    trusted_proxies: str,
    token: str,
    system: Mapping[str, str],
    page: Path = PAGE,
    access_log: str = "off",
    own_page: Mapping[str, str] | None = None,
) -> Program:
    """`own_page`: more variables, if the page is the operator's own."""
    own = data / "gateway"
    own.mkdir(mode=0o700, exist_ok=True)
    probed = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return Program(
        name="gateway",
        command=[str(binaries.caddy()), "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"],
        folder=own,
        environment={
            **system,
            # Caddy writes into these folders only.
            **{name: str(own) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")},
            "SITE_ADDRESS": f":{port}",
            "GATEWAY_BIND": host,
            "GATEWAY_TRUSTED_PROXIES": trusted_proxies,
            "GATEWAY_TOKEN": token,
            "GATEWAY_UPSTREAMS": "fixed",
            "GATEWAY_ACCESS_LOG": access_log,
            "GATEWAY_REFERENCE": str(REFERENCE),
            **{f"{name.upper()}_ADDRESS": f"127.0.0.1:{service_ports[name]}" for name in ROUTED},
            **store,
            "WEB_ROOT": str(page),
            **(own_page or {}),
        },
        port=port,
        host=host,
        ready=probes.http(port, "/health", probed),
        orphan_signal=signal.SIGTERM,
        noise=NOISE,
    )


def s3_server(endpoint: str) -> dict[str, str]:
    """The variables of a store at an S3 endpoint: its address, and the Host for which presigned URLs are signed."""
    parts = urlsplit(endpoint)
    address = f"https://{parts.netloc}" if parts.scheme == "https" else parts.netloc
    return {"GATEWAY_STORE": "s3", "STORE_ADDRESS": address, "STORE_HOST": parts.netloc}


def folder(path: Path) -> dict[str, str]:
    """The variables of a store in a folder. The kernel sends its files."""
    return {"GATEWAY_STORE": "folder", "STORE_FOLDER": str(path), "GATEWAY_TIMEOUTS": "write_idle -1s"}
