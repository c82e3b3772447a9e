"""How many examples the tests try that think them up."""

import os

FACTOR = int(os.environ.get("WAYSTATION_TEST_EXAMPLES", "1"))


def examples(number: int) -> int:
    """This number, for which a run of all tests has time, or the multiple that `make examples` tries."""
    return number * FACTOR
