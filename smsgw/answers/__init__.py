"""What a citizen's message asks, and what is said in reply. Pure: no database, no clock, no carrier."""
