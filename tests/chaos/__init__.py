"""A mixed load on the running system while its processes are killed, and a check of every promise afterwards.

`ledger` holds what was acknowledged; each module of `loads` uses one dialect and writes into it; `faults` kills and
stops processes by a seeded schedule; the modules of `checks` compare the system with the ledger; `run` puts them in
order, and `report` says what came of it.
"""
