"""Archives: several files and texts of a share as one zip file, which is made while it is sent.

The share service decides about a download of an archive and gives the gateway a ticket, with which the gateway asks
here for the bytes. `opening` asks share what the ticket is for, and `sending` makes any range of the archive.
`checksums` knows the CRC-32 of contents, and `reading` reads a content from the store, or from mirrors where the store
fails. ADR 38 gives the reasons.
"""
