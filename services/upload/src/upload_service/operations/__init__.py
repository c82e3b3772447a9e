"""The use cases of the upload service, as verbs.

An operation owns its units of work, because bytes travel between them and no connection may be held meanwhile:
reserve, stream, record. No operation knows which protocol called it.
"""
