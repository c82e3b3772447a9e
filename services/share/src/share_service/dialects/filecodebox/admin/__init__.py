"""FileCodeBox's administration, on the same use cases as the native one. Its sessions are in the auth service."""
