"""What is stored in codes and in English is shown in the official's own words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

import providers
import smsgw
from providers.contract import ReceiptStatus
from smsgw.dispatch import breaker
from smsgw.dispatch.retry import UNDECIDED
from smsgw.notices import report
from smsgw.notices.life import Move
from smsgw.store.audit import Entry
from smsgw.store.channels import Channel
from smsgw.store.overdue import LEASE_LOST
from smsgw.store.reminders import UNTRUE
from smsgw.store.states import NO_RECEIPT
from smsgw.text.languages import Language
from smsgw.web.console import texts
from smsgw.web.console.format import Format, ceiling
from smsgw.web.console.words import Words
from tests.world import NOON

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
VI, EN = (Words(language, Format(ZONE, language)) for language in get_args(Language))


def entry(action: str, subject: str, detail: str) -> Entry:
    return Entry(1, NOON, "lan", action, subject, detail, "", "")


def channel() -> Channel:
    return Channel("sms", "open", None, NOON, None, 0, 0, 0.0, 0.0, NOON, 0.0, NOON)


def test_every_page_says_the_same_things_in_both_languages() -> None:
    for page, said in texts.load().items():
        assert said["vi"].keys() == said["en"].keys(), page
        for key, text in said["vi"].items():
            fields = [sorted(re.findall(r"\{(\w+)\}", one)) for one in (text, said["en"][key])]
            assert fields[0] == fields[1], f"{page}.{key}"


# What is counted there is never one.
SEVERAL = {
    "conversations.several", "home.lately", "notices.errors_more", "reasons.in_a_row",
    "reminders.days_after", "reminders.days_before", "reminders.working_days_after", "reminders.working_days_before",
    "shell.days", "shell.hours", "shell.minutes", "shell.seconds",
}  # fmt: skip


def test_no_sentence_about_the_provider_begins_with_its_name_which_is_for_the_middle_of_one() -> None:
    assert not [text for both in texts.load()["vouching"].values() for text in both.values() if text[0] == "{"]


def test_no_text_in_english_says_1_dossiers() -> None:
    plural = re.compile(r"\{(?:count|all)\} (?:\w+ ){0,2}(?:\w\w+s|people)\b")
    said = {f"{page}.{name}": text for page, both in texts.load().items() for name, text in both["en"].items()}
    assert {key for key, text in said.items() if plural.search(text)} == SEVERAL


def test_a_wait_is_rounded_up_to_whole_seconds_and_minutes() -> None:
    vi, en = (Format(ZONE, language) for language in get_args(Language))
    shown = [vi.wait(timedelta(seconds=seconds)) for seconds in (0.4, 9.2, 119.5, 120.5)]
    assert shown == ["2 giây", "10 giây", "2 phút", "3 phút"]
    assert en.wait(timedelta(seconds=14.2)) == "15 seconds"


def test_everything_that_the_audit_log_may_hold_has_its_words() -> None:
    written = re.compile(
        r'"((?:official|session|key|channel|message|opt_out|voice|reminder|conversation)\.(?!html)[a-z_]+)"'
    )
    rooms = [Path(smsgw.__file__).parent / name for name in ("officials", "intake", "notices", "reminders", "web")]
    code = [file.read_text(encoding="utf-8") for room in rooms for file in room.rglob("*.py")]
    actions = {action for text in code for action in written.findall(text)}
    actions |= {f"notice.{move}" for move in [*Move, "try_out"]}
    assert len(actions) > 25
    assert [
        action for action in sorted(actions) if VI.action(entry(action, "", "{}")) == action.replace(".", "_")
    ] == []


def test_the_audit_log_names_notices_and_hides_what_says_nothing() -> None:
    noted = entry("notice.pause", "01a2", '{"name": "Mời nhận kết quả", "reason": "sai ngày", "state": "paused"}')
    assert VI.subject(noted) == "Mời nhận kết quả"
    assert VI.detail(noted) == "lý do: sai ngày"
    assert VI.subject(entry("opt_out.add", "84912***678", "{}")) == "0912 *** 678"
    assert EN.detail(entry("opt_out.add", "84912***678", '{"purpose": "notice"}')) == "messages: Notice"
    assert VI.detail(entry("opt_out.add", "84912***678", "[1]")) == "[1]"


def test_the_audit_log_shows_nothing_that_only_programs_understand() -> None:
    answered = entry("voice.answer", "166660", '{"message": "01a22548-2ef2-7444-9907-96e7fabe924e"}')
    assert VI.detail(answered) == ""
    closed = entry("voice.close", "166660", '{"was": "answered"}')
    assert (VI.detail(closed), EN.detail(closed)) == ("trước đó: Đã trả lời", "before: Answered")
    dropped = entry("message.drop", "1200 messages", '{"messages": "m1 m2", "moved": "1200"}')
    assert (VI.subject(dropped), EN.subject(dropped)) == ("1.200 tin", "messages: 1,200")
    assert VI.detail(dropped) == ""
    removed = entry("audit.remove", "12", '{"hash": "263f", "number": "12"}')
    assert (VI.subject(removed), VI.detail(removed)) == ("đến số 12", "dấu của dòng cuối: 263f")
    made = entry("key.add", "kiosk", '{"agency": "", "daily": "20000", "role": "sender"}')
    assert VI.detail(made) == "số tin mỗi ngày: 20.000; vai trò: Xem và gửi"


def test_whom_a_notice_is_for_is_said_in_words() -> None:
    assert VI.audience("status=5,6 !overdue") == "Trạng thái hồ sơ: Yêu cầu bổ sung, Chờ nộp lệ phí; Không quá hạn"
    assert (VI.audience("all"), EN.audience("all")) == ("mọi hồ sơ", "all dossiers")
    assert VI.audience("danh-sach.csv") == "danh-sach.csv"


def test_an_agency_and_a_procedure_of_a_filter_are_called_by_their_names() -> None:
    names = {"H01.05": "Sở Công Thương", "1.001193": "Đăng ký khai sinh"}
    for filter, said in (
        ("agency=H01.05", "Cơ quan: Sở Công Thương (H01.05)"),
        ("agency=H01.05*", "Cơ quan: Sở Công Thương (H01.05) và các đơn vị trực thuộc"),
        ("agency=H01.06* overdue", "Cơ quan: H01.06 và các đơn vị trực thuộc; Đang quá hạn"),
        ("procedure=1.001193,2.1", "Thủ tục: Đăng ký khai sinh (1.001193), 2.1"),
    ):
        assert VI.audience(filter, names) == said
    assert EN.audience("agency=H01.05*", names) == "Agency: Sở Công Thương (H01.05) and all units under it"


def test_why_a_channel_is_closed_is_said_in_the_language_of_the_page() -> None:
    now, closed = NOON, channel()
    for _ in range(breaker.FAILURES_IN_A_ROW):
        closed = breaker.called(closed, "timed out", now)
    probed = breaker.probed(closed, "timed out", now + timedelta(minutes=1))
    opened = breaker.probed(closed, None, now)
    paused = breaker.paused(channel(), "paused by lan: nhà mạng bảo trì", now)
    restarted = breaker.restarted(closed, now)
    said = [VI.reason(one.reason) for one in (closed, probed, opened, paused, restarted)]
    assert said == [
        "5 lần gửi liên tiếp bị lỗi; lần cuối: timed out",
        "gửi thử vẫn lỗi: timed out",
        "gửi thử thành công",
        "lan tạm dừng: nhà mạng bảo trì",
        "hệ thống khởi động lại",
    ]
    assert VI.reason("401 from the carrier") == "401 from the carrier"
    assert VI.reason(None) == ""


ADDRESS = "http://127.0.0.1:9101/messages"


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("the carrier answered 500", "nhà mạng trả lời lỗi 500"),
        ("the connection broke", "đứt kết nối"),
        (f"a probe failed: {ADDRESS} answers 500: ask the carrier",
         "gửi thử vẫn lỗi: nhà mạng trả lời lỗi 500; cần hỏi nhà mạng"),
        (f"a probe failed: {ADDRESS}: no connection: check the channel's url",
         "gửi thử vẫn lỗi: không kết nối được với nhà mạng; cần kiểm tra cấu hình kênh"),
        ("5 calls in a row failed, the last one: the connection broke",
         "5 lần gửi liên tiếp bị lỗi; lần cuối: đứt kết nối"),
        ("the carrier answered 402: check the contract",
         "nhà mạng trả lời lỗi 402; cần kiểm tra hợp đồng với nhà mạng"),
        ("the carrier answered 101 (Sai mật khẩu\nhoặc khóa)", "nhà mạng trả lời lỗi 101: “Sai mật khẩu\nhoặc khóa”"),
        ("the carrier answered 101 (no reason given)", "nhà mạng trả lời lỗi 101"),
        ("the carrier answered 'E7', which is not among the codes that it documents", "nhà mạng trả lời mã lạ: E7"),
        ("Zalo answers -216, token invalid: see docs/carriers/zalo.md",
         "nhà mạng trả lời lỗi -216; cần kiểm tra cấu hình kênh"),
        ("no token: khóa hết hạn: check url, client_id and client_secret",
         "không xin được mã truy cập: khóa hết hạn; cần kiểm tra cấu hình kênh"),
        ("paused by lan: the connection broke", "lan tạm dừng: the connection broke"),  # as she wrote it
        ("Invalid number: check your list", "Invalid number: check your list"),  # as a carrier said it
    ],
)  # fmt: skip
def test_what_a_channel_stopped_for_is_said_without_the_gateways_english_and_without_addresses(
    why: str, said: str
) -> None:
    assert VI.reason(why) == said


FAILING = {"ChannelRefused", "Unreachable", "Broken", "Doubtful", "RenewalDoubtful", "Unknown"}


def filled(part: ast.expr) -> str:
    """What may stand in a gap of a text."""
    return "https://7" if ast.unparse(part).endswith("_url}") else "7"


def sentences(node: ast.AST) -> Iterator[str]:
    """The texts that an expression may be, with its gaps filled."""
    match node:
        case ast.Constant(str(text)):
            yield text
        case ast.JoinedStr(parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else filled(part) for part in parts)
        case ast.IfExp(_, one, other):
            yield from (*sentences(one), *sentences(other))


def withdrawals(source: str) -> Iterator[str]:
    """Why a module withdraws messages."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(ast.Name("withdrawn"), [_, _, why, _]):
                yield from sentences(why)


def failures(source: str) -> Iterator[str]:
    """What a module says of a channel that does not send."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(ast.Name(name), [said, *_]) if name in FAILING:
                yield from sentences(said)
            case ast.FunctionDef("_check" | "fault"):
                returned = (inner.value for inner in ast.walk(node) if isinstance(inner, ast.Return) and inner.value)
                yield from (said for value in returned for said in sentences(value))


def test_every_sentence_of_the_gateways_own_on_why_a_channel_does_not_send_has_its_words() -> None:
    rooms = [Path(str(providers.__file__)).parent, Path(str(smsgw.__file__)).parent / "dispatch"]
    files = [file for room in rooms for file in room.rglob("*.py") if "simulator" not in file.parts]
    said = {sentence for file in files for sentence in failures(file.read_text(encoding="utf-8"))}
    said = {sentence for sentence in said if re.search("[a-z]", sentence)}  # others are a carrier's words alone
    assert len(said) > 50
    english = re.compile(r"\b(?:the|no|not|is|answers?|check|ask)\b|https?:")
    assert [sentence for sentence in sorted(said) if english.search(VI.reason(sentence))] == []
    assert [sentence for sentence in sorted(said) if VI.reason(sentence) == sentence] == []


def test_why_a_message_was_withdrawn_is_said_in_the_language_of_the_page() -> None:
    rooms = Path(str(smsgw.__file__)).parent
    said = {why for file in rooms.rglob("*.py") for why in withdrawals(file.read_text(encoding="utf-8"))}
    assert len(said) > 8
    assert [why for why in sorted(said) if re.search(r"\b(?:the|no|is|not)\b", VI.reason(why))] == []


def test_why_a_message_failed_is_said_in_words_where_it_is_our_own_reason() -> None:
    for code in (NO_RECEIPT, LEASE_LOST, UNDECIDED):
        assert code not in VI.failure(code) + EN.failure(code)
        assert code in report._REASONS
    for code in ("opted_out", "rule_off", "too_late", UNTRUE):
        assert code not in VI.failure(code) + EN.failure(code)
    assert (VI.failure("EC_27"), EN.failure("EC_27")) == ("mã lỗi EC_27", "error code EC_27")


def test_what_carriers_often_say_is_said_in_words_with_their_code_behind() -> None:
    said = "máy tắt hoặc ngoài vùng phủ sóng, mã absent_subscriber"
    assert (VI.failure("absent_subscriber"), report._REASONS["absent_subscriber"]) == (said, said)
    assert EN.failure("absent_subscriber") == "the phone is off or out of reach, code absent_subscriber"
    assert VI.failure("Unable to check telco") == "số điện thoại không đúng, mã Unable to check telco"
    known = [key.removeprefix("known_") for key in texts.load()["conversations"]["vi"] if key.startswith("known_")]
    assert {code: report._REASONS.get(code) for code in known} == {code: VI.failure(code) for code in known}


@pytest.mark.parametrize(
    ("language", "delivered", "undelivered", "expired", "open_"),
    [
        ("vi", "Đã đến máy", "Không đến máy", "Hết hạn", "Đang mở"),
        ("en", "Delivered", "Not delivered", "Expired", "Open"),
    ],
)
def test_a_state_is_called_the_same_on_every_page(
    language: Language, delivered: str, undelivered: str, expired: str, open_: str
) -> None:
    said = {page: both[language] for page, both in texts.load().items()}
    home, talks = said["home"], said["conversations"]
    assert home["arrived"] == talks["state_delivered"] == talks["receipt_delivered"].capitalize() == delivered
    assert home["failed"] == talks["state_undelivered"] == talks["receipt_undelivered"].capitalize() == undelivered
    assert home["delivered_note"].format(good=1, bad=2) == f"1 {delivered.lower()}, 2 {undelivered.lower()}"
    assert talks["state_expired"] == talks["receipt_expired"].capitalize() == expired
    assert said["channels"]["state_open"] == open_
    assert said["channels"]["queued"] == home["queue"] == talks["state_queued"]
    assert said["channels"]["sending"] == talks["state_sending"]


def test_every_state_that_a_carrier_reports_has_its_words() -> None:
    assert [one for one in get_args(ReceiptStatus) if VI.of("conversations.receipt", one) == one] == []


@pytest.mark.parametrize(
    ("agent", "named"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0"
            " Safari/537.36 Edg/131.0.0.0",
            "Edge trên Windows",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; SM-A546E) AppleWebKit/537.36 (KHTML, like Gecko)"
            " SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
            "Samsung Internet trên Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
            " Version/18.1 Mobile/15E148 Safari/604.1",
            "Safari trên iPhone",
        ),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "–"),
    ],
)
def test_a_browser_is_named_as_people_name_it(agent: str, named: str) -> None:
    assert VI.browser(agent) == named


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("84912345678", "0912 345 678"),
        ("84912***678", "0912 *** 678"),
        ("442071838750", "+442071838750"),
        ("zalo:***012", "zalo:***012"),
        ("8188", "8188"),
    ],
)
def test_numbers_are_written_as_people_write_them(address: str, shown: str) -> None:
    assert Format(ZONE, "vi").phone(address) == shown


def test_a_scale_ends_at_a_round_number_and_so_does_its_half() -> None:
    assert [ceiling(value) for value in (2, 9, 10, 1764, 3_041_729)] == [2, 10, 10, 2000, 4_000_000]
    vi, en = (Format(ZONE, language) for language in get_args(Language))
    assert [vi.short(value) for value in (882, 4000, 2_000_000, 3_500_000)] == ["882", "4.000", "2 tr", "3,5 tr"]
    assert en.short(3_500_000) == "3.5 m"


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(0, 0, "–"), (0, 5, "0,0 %"), (2, 3, "66,7 %"), (9999, 10000, "99,9 %"), (5, 5, "100,0 %")],
)
def test_a_share_is_a_hundred_per_cent_only_where_nothing_is_missing(part: int, whole: int, shown: str) -> None:
    assert Format(ZONE, "vi").share(part, whole) == shown
