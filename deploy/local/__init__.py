"""The embedded stack: the whole system on one machine, without Docker and without root.

    python -m deploy.local

starts PostgreSQL, Valkey and the gateway from Python wheels, and the services, the workers and beat
from this checkout. When it ends, it stops all of them. The module `stack` starts and finds such a stack from Python.
"""
