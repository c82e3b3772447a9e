"""Links that are used once: invitations to register, and links to set a new password."""
