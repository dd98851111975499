"""Whether a notice still is what was approved, also if somebody changed it in the database behind everybody's back.

The fingerprint stands for the whole notice, and computing it for each chunk would read the whole each time. So a node
computes it once before it queues any of a notice, remembers a hash of each recipient, and holds each chunk to these:
some ten megabytes for a hundred thousand people, for as long as they are being sent to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from smsgw.notices.means import Means
from smsgw.notices.reckoning import Fingerprint
from smsgw.store import notices as rows
from smsgw.store.notices import Addressee, Notice


@dataclass(frozen=True, slots=True)
class Seal:
    """A notice as it stood in the database. `fingerprint`: of that; `hashes`: of its recipients, by line."""

    notice: Notice
    fingerprint: str
    hashes: dict[int, int]

    def holds(self, notice: Notice, some: Iterable[Addressee]) -> bool:
        """Whether a notice and some of its recipients, read later, are those that were approved."""
        return (
            self.fingerprint == notice.approved_fingerprint
            and _header(self.notice) == _header(notice)
            and all(self.hashes.get(item.line) == hash(item) for item in some)
        )


def _header(notice: Notice) -> tuple[object, ...]:
    return notice.text, notice.accents, notice.send_at


def seal(means: Means, notice: Notice) -> Seal:
    """The seal of a notice that was found. It takes about a second for a hundred thousand recipients."""
    print_ = Fingerprint(notice.text, notice.send_at, accents=notice.accents)
    hashes: dict[int, int] = {}
    for item in rows.recipients(means.database, notice.id):
        print_.add(item)
        hashes[item.line] = hash(item)
    return Seal(notice, print_.hexdigest(), hashes)
