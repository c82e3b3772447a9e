"""Mirrors are the places to which files are copied; replicas are the copies.

- `administration` and `choices`: administrators define mirrors, accounts choose among them
- `wishes`: the mirrors on which a file is wanted; `hooks`: what happens there in the life of a file
- `replicating`: the work on one replica, with `work` (its claim and records) and `failures` (their consequences)
- `probing`, `upkeep`: probes of mirrors, and the sweep for replicas that are due
- `renewing`, `removing`: changes of all replicas on a mirror, some at a time
- `failover` and `tickets`: downloads from a mirror when the store fails
- `drivers`: how each kind of mirror is spoken to; `opened_drivers` and `sealing`: those in use, and their secrets
"""
