"""What became of a notice, recipient by recipient, as lines of a spreadsheet."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import chain
from zoneinfo import ZoneInfo

from smsgw.notices.audience.columns import key, placeholders
from smsgw.notices.audience.filtered import FIELDS
from smsgw.notices.life import State
from smsgw.notices.means import Means
from smsgw.notices.reckoning import Reckoning
from smsgw.notices.refusals import NoticeRefused
from smsgw.notices.spreadsheet import Cell, Record, Row, harmless
from smsgw.store import notice_sending as sending
from smsgw.store import notices as store
from smsgw.store.notice_sending import Fate
from smsgw.store.notices import Notice
from smsgw.text import phones
from smsgw.text.languages import Language

_HEADINGS: dict[Language, tuple[str, ...]] = {
    "en": ("row", "phone", "state", "reason", "segments", "channel", "sent", "ended"),
    "vi": ("dòng", "số điện thoại", "trạng thái", "lý do", "tin tính phí", "kênh", "gửi lúc", "kết thúc lúc"),
}
STATES: dict[str, str] = {
    "waiting": "chưa gửi",
    "skipped": "không gửi",
    "held": "đang giữ lại",
    "queued": "đang chờ gửi",
    "sending": "đang gửi",
    "unknown": "chưa rõ",
    "submitted": "nhà mạng đã nhận",
    "delivered": "đã đến máy",
    "undelivered": "không đến máy",
    "unreported": "đã gửi, không có báo cáo",
    "expired": "hết hạn",
    "rejected": "bị từ chối",
    "cancelled": "đã hủy",
}

_REASONS: dict[str, str] = {
    "opted_out": "đã từ chối nhận",
    "other_phone": "hồ sơ đã đổi số điện thoại",
    "dossier_gone": "hồ sơ không còn trong phần mềm một cửa",
    "no_receipt": "nhà mạng không báo kết quả",
    "lease_lost": "đứt giữa chừng",
    "undecided": "chưa rõ, không ai quyết định",
    # What carriers often say, with their code.
    "absent_subscriber": "máy tắt hoặc ngoài vùng phủ sóng, mã absent_subscriber",
    "invalid_number": "số điện thoại không đúng, mã invalid_number",
    "ESME_RINVDSTADR": "số điện thoại không đúng, mã ESME_RINVDSTADR",
    "Unable to check telco": "số điện thoại không đúng, mã Unable to check telco",
    "not_routable": "nhà mạng không gửi được đến số này, mã not_routable",
    "REJECTED_NETWORK": "nhà mạng không gửi được đến số này, mã REJECTED_NETWORK",
    "ALIAS_INVALID": "tên người gửi chưa đăng ký với mạng của số này, mã ALIAS_INVALID",
    "no_template": "nội dung không theo mẫu đã đăng ký, mã no_template",
    "CONTENT_NOT_MATCH_TEMPLATE": "nội dung không theo mẫu đã đăng ký, mã CONTENT_NOT_MATCH_TEMPLATE",
    "too_long": "nội dung quá dài, mã too_long",
    "ESME_RINVMSGLEN": "nội dung quá dài, mã ESME_RINVMSGLEN",
    "MAXLENGTH_LIMIT": "nội dung quá dài, mã MAXLENGTH_LIMIT",
    "MSG_ERROR_CONTAIN_BLACKLIST": "nội dung có từ bị cấm, mã MSG_ERROR_CONTAIN_BLACKLIST",
    "UNDELIVERABLE": "không gửi đến máy được, mã UNDELIVERABLE",
    "ESME_RDELIVERYFAILURE": "không gửi đến máy được, mã ESME_RDELIVERYFAILURE",
    "EXPIRED": "hết hạn mà máy chưa nhận, mã EXPIRED",
    "rejected": "nhà mạng không nêu lý do, mã rejected",
    "REJECTED": "nhà mạng không nêu lý do, mã REJECTED",
    "ESME_RSUBMITFAIL": "nhà mạng không nêu lý do, mã ESME_RSUBMITFAIL",
}


TITLES: dict[Language, str] = {"en": "Report", "vi": "Báo cáo"}


def records(means: Means, notice: Notice, language: Language) -> Iterator[Record]:
    """The headings, then a line for each recipient, by the line of the audience. Times are the province's.

    Raises NoticeRefused if the recipients were removed.
    """
    fates, zone = _fates(means, notice), means.hours.zone
    return chain([_HEADINGS[language]], (tuple(map(_text, _row(fate, notice, language, zone))) for fate in fates))


def table(means: Means, notice: Notice, language: Language) -> Iterator[Row]:
    """The same for a workbook, with the numbers as people write them and what the text says of each recipient.

    Raises NoticeRefused if the recipients were removed.
    """
    fates, zone = _fates(means, notice), means.hours.zone
    named = _named(means, notice, language)
    headings = (*_HEADINGS[language], *map(harmless, named.values()))
    return chain([headings], (_wide(fate, _row(fate, notice, language, zone), named) for fate in fates))


def _fates(means: Means, notice: Notice) -> Iterator[Fate]:
    if removed := Reckoning.from_json(notice.reckoning).removed_at:
        day = f"{removed.astimezone(means.hours.zone):%Y-%m-%d}"
        raise NoticeRefused("removed", f"the recipients of this notice were removed on {day}; its figures are kept")
    return sending.fates(means.database, notice.id)


def _named(means: Means, notice: Notice, language: Language) -> dict[str, str]:
    """What is known of each recipient, and its heading: what the text names, and of dossiers always the code."""
    named = placeholders(notice.text)
    with means.database.reading() as connection:
        first = store.recipients_at(connection, notice.id, [0])
    codes = FIELDS["code"]
    if not any(one.dossier for one in first) or any(key(code) in named for code in codes):
        return named
    return {store.DOSSIER: codes[0 if language == "en" else 1], **named}


def _wide(fate: Fate, row: Row, named: Collection[str]) -> Row:
    line, _, *cells = row
    return line, phones.national(fate.phone), *cells, *(harmless(fate.values.get(name, "")) for name in named)


def _row(fate: Fate, notice: Notice, language: Language, zone: ZoneInfo) -> Row:
    without = "skipped" if fate.skipped else "cancelled" if notice.state == State.CANCELLED else "waiting"
    state = "unreported" if fate.is_unreported else fate.state or without
    reason = fate.skipped or fate.code or ""
    return (
        fate.line,
        fate.phone,
        STATES[state] if language == "vi" else state,
        harmless(_REASONS.get(reason, reason) if language == "vi" else reason),
        fate.segments,
        fate.channel,
        _at(fate.submitted_at, zone),
        _at(fate.finished_at, zone),
    )


def _at(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    return moment.astimezone(zone).replace(tzinfo=None) if moment else None


def _text(cell: Cell) -> str:
    return f"{cell:%Y-%m-%d %H:%M:%S}" if isinstance(cell, datetime) else str(cell or "")
