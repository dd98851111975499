"""What all expected failures have in common, which say themselves what is to be done; and what is said of others."""

from __future__ import annotations


class ExpectedFailure(Exception):
    """Something was refused or can not be done; the text is all that whoever asked needs: a command prints it."""


def first_line(error: BaseException) -> str:
    """What the driver says in a database's error, without the advice below it; the kind of error if it says nothing."""
    said = str(getattr(error, "orig", None) or "").strip()
    return next(iter(said.splitlines()), type(error).__name__)
