"""Celery on Valkey: how tasks are queued, run and repeated.

Every task takes ids, runs one operation and may run twice. It is sent after the commit of the row that says what is to
be done; a sweep finds the rows whose message was lost.
"""
