"""Drop-offs: codes by which anybody sends files to an account, within the limits that the account sets."""
