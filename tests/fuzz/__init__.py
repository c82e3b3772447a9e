"""`make fuzz`: what no client should send, sent to a whole system. Begin with `__main__`, `raw` and `documents`."""
