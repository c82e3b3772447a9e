"""Direct messages between two accounts, kept until one of them deletes them for both."""
