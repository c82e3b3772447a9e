"""The distribution of tests among several processes.

A file stays together, because its tests share fixtures. So do the files whose tests share a whole system, since
starting one takes many seconds of processor time. Those come first, because they take longest; then what takes a minute
by itself, after which all others would wait for it in the end.
"""

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

TOGETHER = {
    "tests/contract": (),
    "tests/e2e: uploads": (
        "command_faults",
        "faults",
        "fetch_faults",
        "importing",
        "item_faults",
        "mirrorace_faults",
        "mirror_faults",
    ),
    "tests/e2e: people": ("account_faults", "fuzz", "health", "importing_people", "room_abuse", "rooms"),
}
"""The groups of files, the longest first, and the modules in `tests/e2e` that belong to them."""
EARLY = (
    "tests/e2e/test_engines_elsewhere.py",
    "tests/integration/upload/dialects/test_cut_uploads.py",
    "tests/integration/embedded/test_embedded_moving.py",
    "tests/e2e/test_backup.py",
)
"""Files whose tests take longest, the longest first. All are among those that `make faults` runs."""


def group_of(file: str) -> str:
    """The name of what `file` stays together with, which is the file itself unless it shares a system."""
    if file.startswith("tests/contract/"):
        return "tests/contract"
    module = file.removeprefix("tests/e2e/test_").removesuffix(".py")
    return next((group for group, modules in TOGETHER.items() if module in modules), file)


class BySystem(LoadScopeScheduling):
    """Hands out whole groups first, then what takes long, and then file after file."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid.partition("::")[0])

    def _assign_work_unit(self, node: WorkerController) -> None:
        for unit in reversed((*TOGETHER, *EARLY)):
            if unit in self.workqueue:
                self.workqueue.move_to_end(unit, last=False)
        super()._assign_work_unit(node)
