"""The benchmark: `make bench`. Ratios within one run, with the machine's own store as the yardstick."""
