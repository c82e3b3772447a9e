"""The distribution of tests among several processes.

A file stays together, because its tests share fixtures. So does each folder whose tests share a whole system, since
starting one takes twenty seconds of processor time. Those folders come first, because they take longest.
"""

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

TOGETHER = ("tests/e2e", "tests/contract")


class BySystem(LoadScopeScheduling):
    """Hands out whole folders first, and then file after file."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((folder for folder in TOGETHER if file.startswith(f"{folder}/")), file)

    def _assign_work_unit(self, node: WorkerController) -> None:
        for folder in reversed(TOGETHER):
            if folder in self.workqueue:
                self.workqueue.move_to_end(folder, last=False)
        super()._assign_work_unit(node)
