"""MirrorAce's upload half. Read `routes` first, then `admission`, `upload` (the form) and `chunks`."""
