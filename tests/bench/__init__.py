"""The benchmark (`make bench`). It compares speeds within one run with those of the stack's own object store."""
