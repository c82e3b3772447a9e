"""The values of placeholders in the scripts of an operator's own page are text in a string, and nothing else."""

import json

import pytest

from common.policy import Policy
from share_service.policy.filling import filled

SCRIPTS = (
    "<script>",
    "<SCRIPT async>",
    '<script data-a=">">',
    "<script></scripts>",
    "<!-- <script></script> --><script src=a></script><script\n>",
)


@pytest.mark.parametrize(
    "name", ["'-alert(1)-'", "\\", "`${alert(1)}`", '"', "</script><script>alert(1)", "<!--", "{{title}}\u2028\n城😀"]
)
def test_a_value_in_a_script_ends_neither_its_string_nor_the_script(name: str) -> None:
    policy = Policy.model_construct(name=name, description="", keywords="", opacity=0.9, background="")
    for before in SCRIPTS:
        start, end = f"{before}let a = '", f"', b = {'{{opacity}}'}</script >"
        text = filled(f"{start}{{{{title}}}}{end}", policy).removeprefix(start)
        text, found, _ = text.partition("', b = 0.9</script >")
        assert found, text
        assert not set(text) & set("'\"`<>${}&\n")
        assert json.loads(f'"{text}"') == name
