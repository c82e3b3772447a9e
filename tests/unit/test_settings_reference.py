"""The documented settings, compared with the settings classes, the embedded stack and the gateway."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy import settings_reference as reference
from deploy.local import credentials
from deploy.local import settings as embedded
from deploy.local.services import Addresses, Services
from deploy.local.settings import POLICY_NAMES, SYSTEM_NAMES, StackSettings
from deploy.settings_reference import DEPLOYMENT, PROCESSES, Setting, Way

ALL = [setting for kind in PROCESSES.values() for setting in reference.all_settings(kind)]
GATEWAY = (reference.ROOT / "deploy" / "gateway" / "Caddyfile").read_text(encoding="utf-8")


class Asked(Mapping[str, str]):
    """An environment that remembers which names were asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.names: set[str] = set()
        self._values = values

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def of_the_embedded_stack() -> list[Setting]:
    return [setting for setting in DEPLOYMENT if setting.only is not Way.COMPOSE]


def test_every_setting_has_a_description_in_a_full_sentence() -> None:
    for setting in [*ALL, *DEPLOYMENT]:
        assert setting.meaning.endswith("."), setting.name


def test_every_setting_that_may_be_changed_is_shown_once() -> None:
    shown = [setting.name for _, settings in reference.sections() for setting in settings]
    changeable = {setting.name for setting in ALL if setting.default is not None}
    assert set(shown) == changeable | {setting.name for setting in DEPLOYMENT}
    assert len(shown) == len(set(shown))


def test_a_setting_means_the_same_to_every_process() -> None:
    assert len({(setting.name, setting.default) for setting in ALL}) == len({setting.name for setting in ALL})


def test_the_tables_in_the_documentation_are_current() -> None:
    text = reference.OPERATE.read_text(encoding="utf-8")
    assert reference.operate(text) == text, "run `make settings`"


def test_the_settings_in_the_readme_have_the_documented_defaults() -> None:
    documented = {setting.name: setting for _, settings in reference.sections() for setting in settings}
    rows = re.findall(
        r"^\| `([A-Z_]+)`[^|]*\| `?([^|`]*)`? \|", (reference.ROOT / "README.md").read_text(), re.MULTILINE
    )
    assert len(rows) > 5
    for name, default in rows:
        assert default == (documented[name].default or "empty"), name


def test_env_example_is_current() -> None:
    assert reference.EXAMPLE.read_text(encoding="utf-8") == reference.example(), "run `make settings`"


def test_the_embedded_stack_passes_on_every_setting_that_may_be_changed() -> None:
    assert {setting.name for setting in ALL if setting.default is not None} == POLICY_NAMES


def test_the_embedded_stack_reads_the_documented_settings_and_no_others() -> None:
    asked = Asked({"S3_ENDPOINT": "http://store", "S3_ACCESS_KEY": "access", "S3_SECRET_KEY": "secret"})
    embedded.read(asked)
    assert asked.names - POLICY_NAMES - set(SYSTEM_NAMES) == {setting.name for setting in of_the_embedded_stack()}


def test_the_embedded_stack_has_the_documented_defaults() -> None:
    defaults = {setting.name: setting.default or "" for setting in of_the_embedded_stack()}
    # Its description says that it has two.
    defaults["GATEWAY_ACCESS_LOG"] = "off"
    assert embedded.read({}) == embedded.read(defaults)


def test_the_embedded_services_and_the_gateway_alone_have_its_token(tmp_path: Path) -> None:
    addresses = Addresses("postgresql://x", "redis://x", dict.fromkeys(PROCESSES, 1))
    known = credentials.load(tmp_path)
    services = Services(StackSettings(tmp_path), known, addresses)
    assert {server.environment["GATEWAY_TOKEN"] for server in services.servers()} == {known["gateway"]}
    assert known["gateway"] not in services.worker().environment.values()


def test_the_gateway_has_the_documented_defaults() -> None:
    used = dict(re.findall(r"\{\$(GATEWAY_[A-Z_]+):?([^}]*)\}", GATEWAY))
    documented = {setting.name: setting.default for setting in DEPLOYMENT if setting.name.startswith("GATEWAY_")}
    assert documented.items() <= used.items()
