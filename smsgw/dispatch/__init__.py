"""Handing messages to carriers: when, how fast, and what to do when it fails."""
