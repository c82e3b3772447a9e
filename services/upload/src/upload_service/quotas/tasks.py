"""The sweeps of quotas."""

from upload_service.quotas import counting

SWEEPS = {"upload.sum_usage": counting.sum_up, "upload.compare_usage": counting.compare}
