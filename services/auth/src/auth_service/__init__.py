"""The auth service: accounts, their sessions and API keys, and the keys that sign tokens.

The slices, from the top: `dialects` speak the foreign protocols; `administration` lists all accounts for
administrators; `accounts` registers, changes, suspends and deletes accounts; `sessions` and `keys` are the two kinds of
credentials, and `links` are used once; `directory` holds the accounts' rows and names; `signing` holds
the keys that sign tokens. Imports go down only.

Use cases take a `Context` and open short units of work themselves, because hashing a password takes as long as twenty
queries and no connection is held meanwhile. A use case that changes an account, its sessions or its keys locks the
account's row first, so that all changes to one account happen in one order. It updates the cache of credentials, which
every service reads, right before the commit.

The clock of this process (`common.clock`) decides what has expired; no statement asks PostgreSQL for the time.
"""
