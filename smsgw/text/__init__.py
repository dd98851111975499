"""Texts and numbers as the mobile network sees them: alphabets, segments, accents, phone numbers."""
