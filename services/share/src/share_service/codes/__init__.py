"""Codes as the native API opens them: what a share has, while it arrives, and its items one by one."""
