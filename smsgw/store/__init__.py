"""The gateway's database: what came in, what goes out, what was reported of it."""
