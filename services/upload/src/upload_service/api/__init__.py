"""The service's own HTTP interface."""
