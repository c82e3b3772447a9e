"""The policy: the rules of the whole system that an administrator may change at run time."""
