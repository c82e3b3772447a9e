"""Items: the files and texts of a share, from their announcement until their share gives back what it holds."""
