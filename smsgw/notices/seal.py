"""Whether a notice still is what was approved, also if somebody changed it in the database behind everybody's back.

The fingerprint stands for text and sheets, and each sheet's digest for its recipients. So a node looks at the text, the
list of sheets and the number of recipients before it feeds any of a notice, reads a sheet whole before anybody on it
has their turn, and remembers a hash of each who stands there for the turns to come.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from smsgw.notices.means import Means
from smsgw.notices.sheets import Sheets, digest, fingerprint
from smsgw.store import notices as rows
from smsgw.store.notices import Addressee, Notice, Sheet


class Seal:
    """A notice and its sheets as they stood in the database."""

    def __init__(self, notice: Notice, sheets: Sequence[Sheet]) -> None:
        self.fingerprint = fingerprint(notice.text, notice.send_at, sheets, accents=notice.accents)
        self._header = _header(notice)
        self._digests = {sheet.last: sheet.digest for sheet in sheets}
        self._hashes: dict[int, dict[int, int]] = {}  # by the sheet, of its recipients by line

    def has_seen(self, sheet: Sheet) -> bool:
        """Whether who stands on a sheet was shown, and it still may have turns."""
        return sheet.last in self._hashes

    def see(self, sheet: Sheet, everybody: Sequence[Addressee]) -> None:
        """All who stand on a sheet: remembered if they are those that it was made of."""
        right = digest(everybody) == self._digests.get(sheet.last)
        self._hashes[sheet.last] = {one.line: hash(one) for one in everybody} if right else {}

    def put_away(self, sheet: Sheet) -> None:
        """Nobody on it waits any more."""
        self._hashes.pop(sheet.last, None)

    def holds(self, notice: Notice, sheet: Sheet, some: Iterable[Addressee]) -> bool:
        """Whether a notice and some on a sheet that was seen, read later, are those that were approved."""
        seen = self._hashes[sheet.last]
        return (
            self.fingerprint == notice.approved_fingerprint
            and self._header == _header(notice)
            and all(seen.get(one.line) == hash(one) for one in some)
        )


def _header(notice: Notice) -> tuple[object, ...]:
    return notice.text, notice.accents, notice.send_at


def as_it_stands(means: Means, notice: Notice) -> str:
    """The fingerprint of a notice and all its recipients in the database; some seconds for a million of them."""
    sheets = Sheets()
    for one in rows.recipients(means.database, notice.id):
        sheets.add(one)
    return fingerprint(notice.text, notice.send_at, sheets.all(), accents=notice.accents)
