"""The foreign protocols that have account calls: File Uploader and Mirage."""
