"""The embedded stack: the whole system on one machine, without Docker and without root.

    python -m deploy.local

starts PostgreSQL, Valkey, the object store and the gateway from Python wheels, the services, workers and beat from this
checkout, and stops all of them when it ends. `stack` starts and finds such a stack from Python.
"""
