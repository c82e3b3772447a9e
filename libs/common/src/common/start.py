"""Runs a module as the program, and lets it start with less work: `python -m common.start MODULE ARGUMENT…`.

Almost everything that is made while modules are imported lives as long as the process. Looking for garbage among it
takes a fifth of a start's processor time, and memory that is written to for nothing. So nothing looks for garbage
until the program says that it has started.

With MIGRATIONS, a folder, the program begins when its database has all migrations that are there.

A setting that cannot be used ends the program with one line that names it, and with a status that says so: the same
would happen at each further start.
"""

import gc
import os
import runpy
import sys

UNUSABLE = os.EX_CONFIG
"""The status of a program whose settings cannot be used."""


def started() -> None:
    """Begin to look for garbage, but never among what exists already. Does nothing in a program started otherwise."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _leave_out_unused() -> None:
    """Without traces, let no library import OpenTelemetry's SDK: the client of Valkey does if it finds it."""
    if not any(os.environ.get(name) for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT_FILE")):
        sys.modules["opentelemetry.sdk"] = None  # type: ignore[assignment]


def _run() -> None:
    try:
        if folder := os.environ.get("MIGRATIONS"):
            from common.db.awaiting import until_migrated

            until_migrated(folder)
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except ValueError as error:
        # Imported now, because not every program has settings.
        from common.settings import in_words

        words = in_words(error)
        if words is None:
            raise
        sys.stderr.write(f"{words}\n")
        sys.exit(UNUSABLE)


if __name__ == "__main__":
    gc.disable()
    _leave_out_unused()
    del sys.argv[0]
    _run()
