"""The files that browsers may display, by their extension; the content is never considered (ADR 10)."""

DOWNLOAD_TYPE = "application/octet-stream"

_TYPES = {
    ".xml": "application/xml",
    ".yaml": "application/x-yaml",
    ".aac": "audio/aac",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tiff": "image/tiff",
    ".ico": "image/vnd.microsoft.icon",
    ".wbmp": "image/vnd.wap.wbmp",
    ".webp": "image/webp",
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".mpeg": "video/mpeg",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".avi": "video/x-msvideo",
}


def preview_type(name: str) -> str | None:
    """The `Content-Type` of a file that browsers may display; None for one that can only be saved."""
    _, dot, last = name.rpartition(".")
    return _TYPES.get(dot + last.lower())


def is_played(name: str) -> bool:
    """Whether browsers play a file of this name at its own address."""
    return (preview_type(name) or "").startswith(("audio/", "video/"))
