"""The HTTP edge that every service shares: the application, problem details, health, form streams, internal calls."""
