"""The version of this package, which is that of the whole system."""

VERSION = "0.1.0"
