"""File Uploader, the file side."""
