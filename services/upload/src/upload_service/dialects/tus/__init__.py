"""tus 1.0.0, the protocol for resumable uploads, at `/v1/uploads` and `/files`.

Each PATCH writes one part of a session whose content grows, of any length. Read `calls` first; the steps are those of
`growing`. `headers` parses what clients send, and `answers` renders what they get. ADR 34 gives the reasons.
"""
