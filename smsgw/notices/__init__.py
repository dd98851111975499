"""Notices: one text to many citizens, prepared by one official and approved by another."""
