"""The audit log: that of each service, shown as one, and forgotten when the policy says so."""
