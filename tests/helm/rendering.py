"""Renders the chart: `python rendering.py CHART VALUES install|upgrade`, in an environment that has Helm's library.

Writes to standard output, as JSON, the manifests and what is wrong with them by the schemas of Kubernetes.
"""

# pyright: reportMissingImports=false
# Its two libraries are in an environment of their own.

import json
import sys
from typing import Any

import helm_python as helm
import kubernetes_validate
import yaml

VERSIONS = ("1.29", "1.37")


def problem(manifest: dict[str, Any], version: str) -> str | None:
    try:
        kubernetes_validate.validate(manifest, version, strict=True)
    except kubernetes_validate.SchemaNotFoundError:
        # Of KEDA and of the Gateway API, which are no part of Kubernetes.
        return None
    except kubernetes_validate.ValidationError as error:
        return f"{version}: {manifest['kind']} {manifest['metadata']['name']}: {error}"
    return None


def main(chart: str, values: str, act: str) -> None:
    rendered = helm.Chart.load(chart).render(
        json.loads(values), name="place", namespace="files", is_install=act == "install", is_upgrade=act == "upgrade"
    )
    manifests = [manifest for text in rendered.values() for manifest in yaml.safe_load_all(text) if manifest]
    found = [problem(manifest, version) for manifest in manifests for version in VERSIONS]
    lint = helm.lint(chart)["errors"]
    print(json.dumps({"manifests": manifests, "problems": [*filter(None, found), *lint]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
