"""httpx, imported without its own command, which brings rich and pygments along and which nobody here runs.

httpx leaves its command out by itself where these are not installed, but the command `waystation` needs rich. This
saves a tenth of a second at the start of each run.
"""

import sys
from importlib import import_module
from typing import Any

if "httpx" not in sys.modules:
    modules: dict[str, Any] = sys.modules
    # Then importing it raises an ImportError.
    modules["httpx._main"] = None
    try:
        import_module("httpx")
    finally:
        del modules["httpx._main"]
