"""What every Waystation service stands on. Nothing here knows a service."""
