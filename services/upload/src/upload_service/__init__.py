"""Upload sessions, blobs, files, mirrors and fetches: everything that touches bytes.

PostgreSQL's clock judges expiry: what has ended is decided by `now()` in a statement.
"""
