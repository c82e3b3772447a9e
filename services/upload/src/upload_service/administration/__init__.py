"""Administration: everybody's files and fetches, and all mirrors with their health."""
