"""FileCodeBox: direct, chunked and presigned upload (sections 3, 5 and 6 of its wire contract).

All three bring bytes into an upload session; the share service gives the codes.
"""
