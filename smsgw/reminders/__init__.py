"""Telling people before they ask, each of them once: rules over dossiers and the clock."""
