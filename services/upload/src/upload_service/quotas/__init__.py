"""Quotas: how much each owner's files take, and how much they may take. Content counts, in the database (ADR 48)."""
