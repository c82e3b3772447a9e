"""Telling the share service what happened here, so that it tells webhooks and notices."""
