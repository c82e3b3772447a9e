"""Shares: making, finding, owning and ending them, and the sweep that gives back their files."""
