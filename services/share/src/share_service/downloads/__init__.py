"""Downloads: admitting clients by code, link, password or key, and taking the uses of shares."""
