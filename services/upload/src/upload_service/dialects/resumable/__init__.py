"""The IETF's draft "Resumable Uploads for HTTP" (draft-ietf-httpbis-resumable-upload), at the addresses of tus.

The uploads are those of tus, so one that was begun by one protocol can be continued by the other. Read `calls` first;
the steps are those of `growing`. `versions` knows what differs between the versions of the draft, `headers` parses what
clients send, and `answers` renders what they get. ADR 46 says which versions are spoken, and why.
"""
