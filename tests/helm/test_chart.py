"""The Helm chart, rendered without a cluster."""

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from common.version import VERSION
from deploy.compose import make_secrets
from deploy.settings_reference import PROCESSES, ROOT, all_settings

CHART = ROOT / "deploy" / "helm"
PYTHON = os.environ.get("WAYSTATION_TEST_HELM", "")
ELSEWHERE = {
    "bundled": {"enabled": False},
    "external": {
        "databaseUrl": "postgresql://root:pw@db.example:6432/postgres?sslmode=require",
        "valkeyUrl": "rediss://:the-password@valkey.example:6380/0",
        "s3": {"endpoint": "https://s3.example", "accessKey": "a", "secretKey": "b"},
        "ca": "an authority",
    },
    "autoscaling": {"keda": True},
    "ingress": {"enabled": True, "className": "nginx", "tlsSecret": "tls", "annotations": {"a": "b"}},
    "httpRoute": {"enabled": True, "parentRefs": [{"name": "gateway"}]},
    "settings": {"UPLOAD_SIZE": "1000"},
    "publicUrl": "https://files.example.org",
}
COMPOSED: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))[
    "services"
]
Manifests = dict[tuple[str, str], dict[str, Any]]

pytestmark = pytest.mark.skipif(not PYTHON, reason="`make helm` installs what renders it")


def rendered(values: dict[str, Any], act: str = "install") -> Manifests:
    """The manifests by kind and name."""
    script = Path(__file__).with_name("rendering.py")
    done = subprocess.run(
        [PYTHON, str(script), str(CHART), json.dumps(values), act], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert not found["problems"]
    return {(each["kind"], each["metadata"]["name"]): each for each in found["manifests"]}


@pytest.fixture(scope="module")
def bundled() -> Manifests:
    return rendered({})


@pytest.fixture(scope="module")
def elsewhere() -> Manifests:
    return rendered(ELSEWHERE)


def containers(manifests: Manifests) -> dict[str, dict[str, Any]]:
    """The containers by name."""
    kinds = {"Deployment", "StatefulSet", "Job"}
    pods = [each["spec"]["template"]["spec"] for (kind, _), each in manifests.items() if kind in kinds]
    return {container["name"]: container for pod in pods for container in pod["containers"]}


def environment(container: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container.get("env", [])}


def secrets(manifests: Manifests) -> dict[str, str]:
    return manifests["Secret", "place-secrets"]["stringData"]


def test_each_process_gets_the_settings_that_have_no_default(bundled: Manifests) -> None:
    found = containers(bundled)
    for process, kind in PROCESSES.items():
        given = {name.removesuffix("_FILE") for name in environment(found[process])}
        # There is no folder beside the store.
        wanted = {setting.name for setting in all_settings(kind) if setting.default is None} - {"STORE_FOLDER"}
        assert wanted <= given, (process, wanted - given)


def test_every_setting_can_be_set_and_reaches_the_processes_that_know_it() -> None:
    known = {process: {each.name for each in all_settings(kind) if each.default} for process, kind in PROCESSES.items()}
    # A page of the operator's own is for Compose alone.
    gateway = {name for name, value in COMPOSED["gateway"]["environment"].items() if value is None} - {"WEB_CSP"}
    chosen = dict.fromkeys(set().union(gateway, *known.values()) - {"GATEWAY_TRUSTED_PROXIES"}, "5")
    found = containers(rendered({"settings": chosen, "trustedProxies": "10.0.0.0/8"}))
    for process, names in known.items():
        assert names <= environment(found[process]).keys(), process
    assert gateway <= environment(found["gateway"]).keys()


def test_the_same_programs_run_as_under_compose(bundled: Manifests) -> None:
    found = containers(bundled)
    observing = {name for name, service in COMPOSED.items() if "observe" in service.get("profiles", [])}
    assert found.keys() == COMPOSED.keys() - {"secrets", "page", "operator", "migrate"} - observing | {
        name for name in found if name.startswith("migrate")
    }
    for name in COMPOSED.keys() & found.keys() - {"gateway", "postgres", "valkey", "store", "migrate"}:
        composed = COMPOSED[name]
        assert found[name].get("args") == composed.get("command"), name
        assert found[name]["resources"]["limits"]["memory"] == kubernetes_unit(composed["mem_limit"]), name


def kubernetes_unit(text: str) -> str:
    return text.removesuffix("m") + "Mi"


def test_metrics_are_scraped_by_whom_the_values_name(bundled: Manifests) -> None:
    assert ("NetworkPolicy", "metrics") not in bundled
    peers = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
    manifests = rendered({"networkPolicy": {"metricsFrom": peers}})
    opened = manifests["NetworkPolicy", "metrics"]["spec"]
    assert opened["ingress"] == [{"from": peers, "ports": [{"port": 8000}, {"port": 9180}]}]
    [expression] = opened["podSelector"]["matchExpressions"]
    assert {*PROCESSES, "beat", "gateway"} <= set(expression["values"])


def test_each_file_that_is_named_is_mounted_from_the_secret(bundled: Manifests, elsewhere: Manifests) -> None:
    for manifests in (bundled, elsewhere):
        kept = secrets(manifests)
        for (kind, name), manifest in manifests.items():
            if kind not in {"Deployment", "StatefulSet", "Job"}:
                continue
            pod = manifest["spec"]["template"]["spec"]
            volume = next(each for each in pod["volumes"] if each["name"] == "secrets")
            mounted = {item["path"]: item["key"] for item in volume["secret"]["items"]}
            assert set(mounted.values()) <= set(kept), name
            named = [value for value in environment(pod["containers"][0]).values() if "/run/secrets/" in value]
            assert {value.rpartition("/")[2].rstrip("}") for value in named} <= set(mounted), name


def test_every_container_is_confined(bundled: Manifests) -> None:
    for name, container in containers(bundled).items():
        confined = container["securityContext"]
        assert confined["readOnlyRootFilesystem"], name
        assert not confined["allowPrivilegeEscalation"], name
        assert confined["capabilities"] == {"drop": ["ALL"]}, name
        assert container["resources"]["limits"]["memory"], name
    for (kind, name), manifest in bundled.items():
        if kind in {"Deployment", "StatefulSet", "Job"}:
            pod = manifest["spec"]["template"]["spec"]
            assert pod["securityContext"]["runAsNonRoot"], name
            assert pod["automountServiceAccountToken"] is False, name


def test_migrations_come_before_an_upgrade_and_together_with_the_first_replicas(bundled: Manifests) -> None:
    """A hook after the installation would wait, with `helm install --wait`, for replicas that wait for it."""
    upgraded = rendered({}, "upgrade")
    assert upgraded["Job", "migrate"]["metadata"]["annotations"]["helm.sh/hook"] == "pre-upgrade"
    [first] = [each["metadata"] for (kind, _), each in bundled.items() if kind == "Job"]
    assert (first["name"], first.get("annotations")) == (f"migrate-{VERSION.replace('.', '-')}", None)
    odd = rendered({"image": {"tag": "V1.2_rc.1-" + "x" * 37 + "-rest"}})
    [first] = [each["metadata"] for (kind, _), each in odd.items() if kind == "Job"]
    assert first["name"] == "migrate-v1-2-rc-1-" + "x" * 37


def test_engines_elsewhere_replace_those_of_the_chart(elsewhere: Manifests) -> None:
    assert not [name for kind, name in elsewhere if kind == "StatefulSet"]
    kept = secrets(elsewhere)
    url = urlsplit(kept["share.database_url"])
    assert (url.hostname, url.port, url.username, url.path, url.query) == (
        *("db.example", 6432, "share", "/share", "sslmode=require"),
    )
    assert kept["migrate.share_database_url"] == kept["share.database_url"]
    assert kept["beat.broker_url"] == "rediss://:the-password@valkey.example:6380/1"
    assert kept["queues.password"] == "the-password"
    gateway = environment(containers(elsewhere)["gateway"])
    assert (gateway["STORE_ADDRESS"], gateway["STORE_HOST"]) == ("https://s3.example", "s3.example")
    trigger = elsewhere["ScaledObject", "transfers-worker"]["spec"]["triggers"][0]["metadata"]
    assert (trigger["address"], trigger["listName"], trigger["enableTLS"]) == (
        *("valkey.example:6380", "transfers", "true"),
    )
    share = environment(containers(elsewhere)["share"])
    assert (share["UPLOAD_SIZE"], share["PUBLIC_URL"]) == ("1000", "https://files.example.org")


def test_an_installation_without_engines_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"external\.databaseUrl, or bundled\.enabled"):
        rendered({"bundled": {"enabled": False}})


def test_secrets_are_those_that_compose_has(bundled: Manifests) -> None:
    key = {name: base64.b64encode(os.urandom(8)).decode() for name in make_secrets.CREDENTIALS}
    composed = make_secrets.files(key, make_secrets.engines_of(key, {}))
    kept = secrets(bundled)
    for reader in ("auth", "auth-worker", "upload", "share", "chat", "beat", "migrate"):
        names = {name.removeprefix(f"{reader}.") for name in kept if name.startswith(f"{reader}.")}
        assert names == set(composed[reader]), reader


def test_the_chart_has_the_version_of_the_system() -> None:
    text = (CHART / "Chart.yaml").read_text(encoding="utf-8")
    assert f"\nversion: {VERSION}\n" in text
    assert f"\nappVersion: {VERSION}\n" in text
