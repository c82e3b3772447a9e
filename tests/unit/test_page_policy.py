"""The page of the policy."""

import re

import pytest

from common.policy import Policy
from deploy.page import WEB

ADMIN = WEB / "src" / "admin"
SHOWN = set(re.findall(r"name: '([a-z_]+)'", (ADMIN / "policyFields.ts").read_text(encoding="utf-8")))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_rule_has_words(language: str) -> None:
    words = (ADMIN / "words" / f"{language}.ts").read_text(encoding="utf-8")
    named = set(re.findall(r"^      ([a-z_]+): '", words, re.MULTILINE))
    assert set(Policy.model_fields) - named == set()


def test_every_rule_is_in_a_group() -> None:
    assert set(Policy.model_fields) - SHOWN == set()
