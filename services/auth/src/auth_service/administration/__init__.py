"""Administration: all accounts listed, searched and changed; invitations, and links to set a new password."""
