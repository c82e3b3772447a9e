"""Tasks by Celery on Valkey: how they are queued, run and repeated.

Every task takes ids, runs one use case and may run twice. It is sent after the commit of the row that describes the
work; if the message is lost, a sweep finds the row.
"""
