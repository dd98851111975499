"""What all failures have in common that are expected, and that say themselves what is to be done."""

from __future__ import annotations


class ExpectedFailure(Exception):
    """Something was refused or can not be done; the text is all that whoever asked needs: a command prints it."""
