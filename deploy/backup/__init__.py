"""Backups of a running system, and new systems made of them.

`python -m deploy.backup` is the operator's command. It copies the databases first, all as they were at one moment, then
the messages of rooms, then every content that the databases name. Contents are kept by digest and shared by all backups
of a folder, so a further backup copies only new ones.
"""
