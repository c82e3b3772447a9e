"""Webhooks: URLs that are called when something happens to shares."""
