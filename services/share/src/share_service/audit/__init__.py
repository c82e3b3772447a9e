"""The audit log of this service: acts of administrators, each written in the transaction of the act itself."""
