"""Mirage: rooms and their messages (sections 3 and 4 of its document), direct messages (section 6), and the ping.

Its pages poll, so nothing here is throttled except wrong passwords. An id is a number or its digits.
"""
