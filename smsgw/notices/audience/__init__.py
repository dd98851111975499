"""To whom a notice goes: the rows of a file, or the dossiers that a filter selects."""
