"""The sweep that tells of events."""

from upload_service.telling import telling

SWEEPS = {"upload.tell_events": telling.tell}
