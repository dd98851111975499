"""The audience that a filter over dossiers names: each dossier a recipient, or why there is none."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from smsgw.dossiers import selecting
from smsgw.dossiers.selection import Selection
from smsgw.dossiers.source import utc
from smsgw.notices.audience import problems
from smsgw.notices.audience.columns import PHONE, key, listed, placeholders
from smsgw.notices.audience.numbers import NoNumber, Unreachable, number
from smsgw.notices.audience.refusals import AudienceRefused
from smsgw.notices.recipients import OfRow, Recipient, RowError
from smsgw.store.notices import LeftOut
from smsgw.text.alphabet import legible
from smsgw.text.languages import Language
from smsgw.text.phones import national

# What a text may name of a dossier, in English and Vietnamese, and the column of the view that it stands for.
FIELDS = {
    "code": ("code", "mã hồ sơ"),
    "applicant_phone": (PHONE, "số điện thoại"),
    "applicant_name": ("name", "họ tên"),
    "procedure_name": ("procedure", "thủ tục"),
    "agency_name": ("agency", "cơ quan"),
    "step_name": ("step", "bước"),
    "received_at": ("received", "ngày nộp"),
    "due_at": ("due", "ngày hẹn trả"),
    "finished_at": ("finished", "ngày xong"),
    "new_due_at": ("new due", "ngày hẹn mới"),
    "delay_reason": ("delay reason", "lý do trễ"),
    "supplement_note": ("supplement", "cần bổ sung"),
    "supplement_due_at": ("supplement due", "hạn bổ sung"),
    "fee_due": ("fee", "lệ phí"),
    "post_tracking": ("post tracking", "mã bưu gửi"),
}
_COLUMNS = {key(name): column for column, names in FIELDS.items() for name in (column, *names)}


@dataclass
class FilterAudience:
    """The dossiers of a selection for a text, which are read, and counted, while it is iterated over.

    `now`, by the province's clock, decides what is overdue and which days are meant; `within`: the agency that the
    official is bound to.
    """

    url: str
    selection: Selection
    text: str
    now: datetime
    within: str | None = None
    language: Language = "vi"
    rows: int = 0

    def __iter__(self) -> Generator[OfRow]:
        """What is said of each dossier, by code.

        Raises AudienceRefused for a placeholder that dossiers know nothing of, and OneStopUnavailable.
        """
        self.rows = 0
        wanted = self._wanted()
        columns = dict.fromkeys(["code", "applicant_phone", *wanted.values()])
        for dossier in selecting.rows(self.url, self.selection, columns, self.now, self.within):
            self.rows += 1
            values = {name: _said(column, dossier[column], self.now.tzinfo) for name, column in wanted.items()}
            yield from self._read(str(dossier["code"]).strip(), str(dossier["applicant_phone"] or ""), values)

    def _wanted(self) -> dict[str, str]:
        """The column of the view for each placeholder's key."""
        asked = placeholders(self.text)
        if missing := [written for name, written in asked.items() if name not in _COLUMNS]:
            place = 0 if self.language == "en" else 1
            there = ", ".join(names[place] for names in FIELDS.values())
            raise AudienceRefused("no_field", columns=listed(missing), there=there)
        return {name: _COLUMNS[name] for name in asked}

    def _read(self, code: str, written: str, values: dict[str, str]) -> Iterator[OfRow]:
        phone = number(written.strip())
        missing = [name for name, value in values.items() if not value and _COLUMNS[name] != "applicant_phone"]
        if isinstance(phone, NoNumber):
            yield self._error(code, PHONE, problems.said(phone, self.language, cell=written))
        elif isinstance(phone, Unreachable):
            yield LeftOut(self.rows, "unreachable", legible(written.strip()), code)
        elif missing:
            for name in missing:
                yield self._error(code, name, problems.said(problems.NO_VALUE, self.language))
        else:
            people = {name: national(phone) for name in values if _COLUMNS[name] == "applicant_phone"}
            yield Recipient(self.rows, phone, values | people, code)

    def _error(self, code: str, column: str, problem: str) -> RowError:
        return RowError(self.rows, column, legible(f"{code}: {problem}"))


def _said(column: str, value: Any, zone: tzinfo | None) -> str:
    """A value as people of the province write it: days in their calendar, money with dots."""
    if value is None:
        return ""
    if column.endswith("_at"):
        try:
            moment = utc(value)
        except ValueError:  # the agency's row makes no sense there
            return ""
        return moment.astimezone(zone).strftime("%d/%m/%Y") if moment else ""
    return f"{value:,}".replace(",", ".") if isinstance(value, int) else " ".join(legible(str(value)).split())
