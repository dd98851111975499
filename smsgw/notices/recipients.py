"""What an audience says of each of its rows: who gets the notice, why nobody does, or what is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from smsgw.store.notices import LeftOut


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person. `row`: where it stands in the file; `values`: what the placeholders of the text stand for.

    `dossier`: the code of the one that it is about; empty if somebody stands in a file.
    """

    row: int
    phone: str
    values: dict[str, str]
    dossier: str = ""


@dataclass(frozen=True, slots=True)
class RowError:
    """One cell that is wrong, by the row and the column that the official sees."""

    row: int
    column: str
    problem: str


OfRow = Recipient | LeftOut | RowError
