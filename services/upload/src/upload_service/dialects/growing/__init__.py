"""Uploads whose content grows request by request: the steps that tus and the IETF's draft have in common.

`announcing` says what a sender tells about a new upload, `creating` begins it, `receiving` takes the bytes of one
request, `finishing` makes a file and a share of it, and `standing` answers how far it is. A protocol parses its
headers, calls these, and renders the answer; so an upload that was begun by one can be continued by the other.
"""
