"""Statistics over time: sums that all services count, kept by hours and days, for administrators."""
