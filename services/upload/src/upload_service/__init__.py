"""Upload sessions, blobs, files and downloads: everything that touches bytes."""
