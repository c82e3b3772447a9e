"""The version of the whole system: services, commands and images have one in common.

It stands here alone; `pyproject.toml` of each package repeats it, and a test compares them.
"""

VERSION = "0.1.0"
