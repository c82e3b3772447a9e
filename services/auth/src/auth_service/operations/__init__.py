"""The use cases of the auth service.

Operations that hash a password own their units of work: hashing takes long, and no connection is held meanwhile. So all
of them receive a `Context`, and open short units of work themselves.

Whoever changes anything about an account locks its row first, so that everything that happens to one account, its
sessions and its keys happens in one order; and says so in the cache of credentials right before the commit.
"""
