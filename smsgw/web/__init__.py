"""HTTP: thin routes over the rooms below."""
