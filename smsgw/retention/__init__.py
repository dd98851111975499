"""Retention: what is old is removed, by rules that the settings and docs/operating.md tell."""
