"""Which dossier a code in a text means, by which of its readings exist; and what is said where that is not sure."""

from __future__ import annotations

from collections.abc import Mapping

from smsgw.answers.asker import Asker, Said
from smsgw.dossiers.dossier import Dossier
from smsgw.dossiers.reading import Reading

MOST_OPTIONS = 3


def resolved(reading: Reading, found: Mapping[str, Dossier]) -> Dossier | Said:
    """The dossier that a reading means; if that is not sure, what to say instead."""
    existing = tuple(code for code in reading.candidates if code in found)
    if len(existing) == 1 and reading.sure:
        return found[existing[0]]
    if existing:
        return _question("ambiguous", None, existing)
    if not reading.sure:
        return Said("not_found", "incomplete")  # it counts as a guess, and nobody typed what it was read as
    if others := tuple(code for code in reading.suggestions if code in found):
        return _question("suggested", reading.literal, others)
    return Said("not_found", "not_found", {"code": reading.literal}, (reading.literal,))


def about(readings: tuple[Reading, ...], asker: Asker, found: Mapping[str, Dossier]) -> Dossier | None:
    """The dossier that somebody speaks about: the first one named, else the last one that the phone was told of."""
    named = (resolved(reading, found) for reading in readings)
    last = (found[code] for code in asker.ties.recent if code in found)
    return next((item for item in (*named, *last) if isinstance(item, Dossier)), None)


def _question(key: str, code: str | None, codes: tuple[str, ...]) -> Said:
    options = codes[:MOST_OPTIONS]
    listed = "\n".join(f"{number}) {option}" for number, option in enumerate(options, 1))
    return Said("ambiguous", key, {"code": code, "options": listed}, options=options)
