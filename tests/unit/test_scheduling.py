"""How tests are distributed among processes."""

import re

from tests.conftest import ROOT
from tests.scheduling import EARLY, group_of


def test_files_that_share_a_system_stay_together() -> None:
    for path in (ROOT / "tests/e2e").glob("test_*.py"):
        file = str(path.relative_to(ROOT))
        shares_it = re.search(r"def test_\w+\([^)]*\bstack: StartedStack", path.read_text(encoding="utf-8"))
        assert (group_of(file) != file) == bool(shares_it), f"{file}: see tests/scheduling.py"


def test_what_comes_early_is_there_and_shares_no_system() -> None:
    for file in EARLY:
        assert (ROOT / file).is_file()
        assert group_of(file) == file


def test_other_files_are_handed_out_one_by_one() -> None:
    assert group_of("tests/unit/test_faults.py") == "tests/unit/test_faults.py"
    assert group_of("tests/contract/files/test_own_files.py") == group_of("tests/contract/test_ownership.py")
