"""The share service: codes, links, pages and texts, their downloads, and the policy of the whole system.

Expiry is judged by the clock of the process (`common.clock`) everywhere in this service, never by PostgreSQL's `now()`.

Slices import one way: dialects, codes, drops, pages, downloads, sending, shares, items, policy.
"""
