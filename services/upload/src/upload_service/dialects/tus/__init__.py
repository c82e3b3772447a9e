"""tus 1.0.0, the protocol for resumable uploads, at `/v1/uploads` and `/files`.

An upload is an ordinary session whose content grows (`content.appending`): each PATCH writes one part, of any length.
Read `routes` first, then `creating`, `receiving` (the bytes of a request) and `finishing` (the file and its share).
`headers` parses what clients send, and `answers` renders what they get. ADR 34 gives the reasons.
"""
