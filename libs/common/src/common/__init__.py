"""The code that all Waystation services share. Nothing here knows a service."""
