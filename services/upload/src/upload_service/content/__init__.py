"""Upload sessions and what becomes of them: parts, blobs and files.

Bytes arrive in a session, whichever protocol brings them. When a session is complete, its content is verified and
becomes a blob, unique by its SHA-256, and the session's name becomes a file on that blob.

Content knows neither mirrors nor fetches. Each slice has a `Context` of its own: this one's holds what content works
with, and those of the slices above inherit it, so that one object serves all of them. Where other slices take part in
the beginning or the end of a file, content calls the hooks of `hooks`, inside its own transaction.
"""
