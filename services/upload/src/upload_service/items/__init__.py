"""Items of shares: the uploads that bring their contents. The shares themselves belong to the share service."""
