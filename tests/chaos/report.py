"""The report of a run: as JSON, and in a few lines."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.client import Tally
from tests.chaos.faults import Faults
from tests.chaos.ledger import Ledger, Violation

SHOWN = 20
"""Violations of one kind that are shown in words."""


@dataclass(slots=True)
class Report:
    seed: int
    kills: int
    faults: Faults
    ledger: Ledger
    tally: Tally
    seconds: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def is_good(self) -> bool:
        return not self.ledger.violations

    def as_dict(self) -> dict[str, Any]:
        ledger, killed = self.ledger, self.faults.killed
        return {
            "seed": self.seed,
            "kills": {"total": sum(killed.values()), **_sorted(killed)},
            "stopped for a while": {"total": sum(self.faults.stopped.values()), **_sorted(self.faults.stopped)},
            "operations": {"total": sum(ledger.operations.values()), **_sorted(ledger.operations)},
            "requests": self.tally.requests,
            "retries": _sorted(self.tally.retries),
            "seconds": {name: round(value, 1) for name, value in self.seconds.items()},
            "uses taken by requests without an answer": {
                kind: {"taken": ledger.uses_taken_unanswered[kind], "at most": sum(c.unanswered for c in of_kind)}
                for kind in ("file", "text")
                for of_kind in [[c for c in ledger.counted if (c.text is not None) == (kind == "text")]]
            },
            "violations": {kind.value: len(ledger.violations.get(kind, [])) for kind in Violation},
            "details": {
                kind.value: [f"{what} ({number})" for what, number in Counter(found).most_common(SHOWN)]
                for kind, found in ledger.violations.items()
            },
        }

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.as_dict(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def summary(self) -> str:
        found = self.as_dict()
        violations = ", ".join(f"{number} {kind}" for kind, number in found["violations"].items())
        unanswered = found["uses taken by requests without an answer"]
        lines = [
            f"seed {self.seed}: {found['kills']['total']} kills, {found['stopped for a while']['total']} stops, "
            f"{found['operations']['total']} operations, {found['requests']} requests, "
            f"{sum(found['retries'].values())} retries in {self.seconds['everything']:.0f} s",
            f"violations: {violations}",
            "uses taken by requests without an answer: "
            + ", ".join(f"{each['taken']} of {kind}s (at most {each['at most']})" for kind, each in unanswered.items()),
        ]
        lines += [f"  {kind}: {what}" for kind, details in found["details"].items() for what in details]
        return "\n".join(lines)


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))
