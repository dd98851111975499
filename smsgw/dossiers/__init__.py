"""Dossiers: their codes, how people mistype them, and the one-stop database that knows them."""
