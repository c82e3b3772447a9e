"""API keys: a key and its token, with which programs identify themselves without signing in."""
