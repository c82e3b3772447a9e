"""FileCodeBox, the share side."""
