"""`make fuzz ARGS="--seed N --examples K"`: starts a system, asks it everything wrong, and reports.

The exit status is 1 if there is a complaint about any answer.
"""

import argparse
import json
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from deploy.local.stack import start
from tests.conftest import LIMITS
from tests.contract.traces import Traces
from tests.fuzz import documents, raw, sending
from tests.fuzz.judging import Report


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the same seed asks the same things (1)")
    parser.add_argument(
        "--examples", type=int, default=20, help="requests for each call of a document, way and caller (20)"
    )
    parser.add_argument("--damaged", type=int, default=100, help="requests with random damage for each target (100)")
    parser.add_argument("--seconds", type=float, default=900, help="the most seconds of either part (900)")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        start(Path(folder), environment=dict.fromkeys(LIMITS, "1000000")) as stack,
    ):
        report = Report()
        with closing(Traces(stack)) as traces:
            cases = raw.cases(asked.seed, asked.damaged, documents.sign_up(stack.url))
            sending.send_all(stack.ports["gateway"], cases, report, traces.all, asked.seconds)
        sending.send_slowly(stack.ports["gateway"], raw.slow_cases(), report)
        documents.fuzz(stack.url, report, number=asked.seed, examples=asked.examples, seconds=asked.seconds)
    for complaint in report.complaints:
        print(complaint, file=sys.stderr)
    print(json.dumps({"asked": report.asked, "statuses": report.statuses, "complaints": len(report.complaints)}))
    return 1 if report.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
