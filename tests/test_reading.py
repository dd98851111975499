"""Whatever way a code is typed, the right dossier is found or the citizen is asked; never another person's."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smsgw.dossiers.codes import Code, parse
from smsgw.dossiers.hints import Hint
from smsgw.dossiers.reading import MOST_CANDIDATES, MOST_CODES, Read, read
from tests import mistakes

days = st.dates(date(2015, 1, 1), date(2035, 12, 31))
provinces = st.from_regex(r"[GH][0-6][0-9]", fullmatch=True)


@st.composite
def codes(draw: st.DrawFn) -> str:
    day = draw(days).strftime(draw(st.sampled_from(("%y%m%d", "%Y%m%d"))))
    ordinal = str(draw(st.integers(1, 9999))).zfill(draw(st.integers(4, 7)))
    if draw(st.booleans()):
        units = tuple(
            draw(st.from_regex(pattern, fullmatch=True)) for pattern in (r"[0-9]{2}", r"[0-9]{2}", r"000|[0-9]{3}")
        )
        return str(Code(draw(provinces), units, day, ordinal, reversed=True))
    units = tuple(draw(st.lists(st.from_regex(r"[0-9]{2,3}", fullmatch=True), max_size=3)))
    return str(Code(draw(provinces), units, day, ordinal, reversed=False))


@given(codes())
def test_a_code_typed_as_issued_is_read_first(code: str) -> None:
    assert parse(code) is not None
    assert read(code).readings[0].candidates[0] == code


@settings(max_examples=500)
@given(codes() | st.from_regex(r"\A(\d{3}\.\d\d\.\d\d\.)?[A-Z]\d\d(\.\d{2,3}){0,3}-\d{6}-\d{4,7}\Z"))
def test_a_code_to_the_letter_means_what_it_means_in_any_other_text(code: str) -> None:
    assert read(code) == read(f"{code}.")


@given(codes(), st.lists(st.sampled_from(mistakes.EVERY), min_size=1, max_size=4), st.integers(0, 2**32))
@example("000.00.12.H01-180802-0012", [mistakes.no_separators], 1)
@example("H01.12-180802-0012", [mistakes.zeros_lost, mistakes.no_separators, mistakes.lookalikes], 7)
def test_a_mistyped_code_is_among_the_readings_or_nothing_is(
    code: str, made: list[mistakes.Mistake], seed: int
) -> None:
    text = mistakes.mistyped(code, made, seed)
    readings = read(text).readings
    assert not readings or any(code in reading.candidates for reading in readings), text
    assert all(len(reading.candidates) <= MOST_CANDIDATES for reading in readings)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("HS H01.12-180802-0012", "H01.12-180802-0012"),
        ("h0112180802 0012", "H01.12-180802-0012"),
        ("H01121808020012", "H01.12-180802-0012"),
        ("00000 12 H01 180802 0012", "000.00.12.H01-180802-0012"),
        ("0000012H01180802 0012", "000.00.12.H01-180802-0012"),
        ("12.H01-180802-12", "000.00.12.H01-180802-0012"),
        ("xin hoi ho so so 0000012H01 1808020012", "000.00.12.H01-180802-0012"),
        ("0000012hoi l80802 0012", "000.00.12.H01-180802-0012"),
        ("HOl12 l8O8O2 OOI2", "H01.12-180802-0012"),
        ("hol 22 o4 ibo72s oooi", "H01.22.04-180725-0001"),
        ("ho so so 12.H01-02082018-1", "000.00.12.H01-180802-0001"),
        ("H01.12-02.08.2018-0012 so dt", "H01.12-180802-0012"),
        ("17.22.H56-210531-1", "000.17.22.H56-210531-0001"),
        ("HSH01.12-180802-0012", "H01.12-180802-0012"),
        ("hosoH01.12-180802-0012", "H01.12-180802-0012"),
        ("HS000.00.12.H01-180802-0012", "000.00.12.H01-180802-0012"),
        ("cho hoi hoso12.H01-180802-0012", "000.00.12.H01-180802-0012"),
        ("to 3a:H01.12-180802-0012", "H01.12-180802-0012"),
        ("to 3a, 12.H01-180802-0012", "000.00.12.H01-180802-0012"),
        ("HO1.12-l8O8O2-OO12", "H01.12-180802-0012"),
        ("HOl.12-180802-0012", "H01.12-180802-0012"),
        ("H 01.12-180802-0012", "H01.12-180802-0012"),
        ("H o1 12 180802 0012", "H01.12-180802-0012"),
        ("H1.12-180802-12", "H01.12-180802-0012"),
        ("H01.22.4-180802-0012", "H01.22.04-180802-0012"),
        ("H01 2 4 180802 0012", "H01.02.04-180802-0012"),
        ("H01.12-020818-0012", "H01.12-180802-0012"),
        ("HOI 0308180012", "H01-180803-0012"),
        ("HOI 0208180012", "H01-180802-0012"),
        ("HOI 02180802123", "H01.02-180802-0123"),
        ("HOI 02 240802 0012", "H01.02-240802-0012"),
        ("HOI 020824-00123", "H01-240802-00123"),
        ("H01.12 02/08/2018 12", "H01.12-180802-0012"),
        ("H01.12 2-8-18 0012", "H01.12-180802-0012"),
        ("H01.12-1808 02-0012", "H01.12-180802-0012"),
        ("G09.20-20260609-92637", "G09.20-20260609-0092637"),
        ("H15.50.05.13-261008-0975", "H15.50.05.13-261008-0975"),
        ("H55.242-251001-0007", "H55.242-251001-0007"),
        ("mã hồ sơ của em là H01.12-180802-0012, mong sớm có kết quả ạ", "H01.12-180802-0012"),
        ("ma so 12.H01-180802-0012", "000.00.12.H01-180802-0012"),
        ("Nho tra giup ho so so 12.H01-180802-0012", "000.00.12.H01-180802-0012"),
        ("H 0 1 . 1 2 - 1 8 0 8 0 2 - 0 0 1 2", "H01.12-180802-0012"),
        ("ho so h o 1 1 2 1 8 o 8 o 2 o o 1 2 ạ", "H01.12-180802-0012"),
        ("0 0 0 . 0 0 . 1 2 . H 0 1 - 1 8 0 8 0 2 - 0 0 1 2", "000.00.12.H01-180802-0012"),
        ("H01 chấm 12 gạch ngang 180802 gạch ngang 0012", "H01.12-180802-0012"),
        ("ho so H 01 cham 12 tru 180802 tru 0012 xong chua", "H01.12-180802-0012"),
        ("000 chấm 00 chấm 12 chấm H01 gạch 180802 gạch 0012", "000.00.12.H01-180802-0012"),
        ("H01.12-180802-0012 chậm 3 ngày", "H01.12-180802-0012"),
        ("h01 phẩy 12 gạch nối 180802 gạch nối 0012", "H01.12-180802-0012"),
        ("H01 dot 12 dash 180802 dash 0012", "H01.12-180802-0012"),
        ("H01 chấm 22 chấm 04 gạch 18 08 02 gạch 00 12", "H01.22.04-180802-0012"),
        ("H01.12 gạch 180802 gạch 0012 chậm 3 ngày", "H01.12-180802-0012"),
        ("hát 01 chấm 12 gạch 180802 gạch 0012", "H01.12-180802-0012"),
        ("hat 01.12-180802-0012", "H01.12-180802-0012"),
        ("H01.12-1808\n02-0012", "H01.12-180802-0012"),
        ("H01.12 - 18 08 02 - 0012", "H01.12-180802-0012"),
        ("H01.12-180802-12 0912345678", "H01.12-180802-0012"),
        ("H01 12 18 08 02 0012", "H01.12-180802-0012"),
        ("\u041d01.12-180802-0012", "H01.12-180802-0012"),  # a Cyrillic letter that looks like H
        ("\u041d\u041e1.12-18\u041e802-\u041e\u041e12", "H01.12-180802-0012"),
        ("\u0397\u03bf1.12-180802-0012", "H01.12-180802-0012"),  # Greek
    ],
)
def test_the_ways_that_people_type_are_read(text: str, code: str) -> None:
    (reading,) = read(text).readings
    assert reading.sure
    assert code in reading.candidates


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("H01.12-180802 so 0012", "H01.12-180802-0012"),
        ("hs H01.31 180806 số 0001 xong chưa", "H01.31-180806-0001"),
        ("h0112180802 so: 0012", "H01.12-180802-0012"),
        ("H01.12-180802 số 12", "H01.12-180802-0012"),
        ("H01.12-180802 stt 12", "H01.12-180802-0012"),
        ("H01.12-180802, STT: 12 bao giờ có kết quả", "H01.12-180802-0012"),
        ("H01.31.10 ngày 02/08/2018 số 0001", "H01.31.10-180802-0001"),
        ("H01.31.10 ngay 180802 - 0001", "H01.31.10-180802-0001"),
        ("ma ho so cua toi la H01.31.10 ngay 02-08-2018 so thu tu 1", "H01.31.10-180802-0001"),
        ("toi nop ho so o H01.31.10 ngay 2/8/2018 so 0001 xong chua", "H01.31.10-180802-0001"),
        ("000.00.12.H01 nộp ngày 02/08/2018, số 0012", "000.00.12.H01-180802-0012"),
        ("H01.12-180802 so 0012, 5 ngay roi", "H01.12-180802-0012"),
    ],
)
def test_the_words_for_a_date_and_an_ordinal_are_signs_of_a_code(text: str, code: str) -> None:
    (reading,) = read(text).readings
    assert reading.sure
    assert code in reading.candidates


@given(codes(), st.sampled_from(("ngày", "nộp ngày")), st.sampled_from(("số", "số thứ tự", "stt", "STT:")))
def test_a_code_whose_parts_are_named_is_among_the_readings(code: str, before_day: str, before_ordinal: str) -> None:
    named, date, ordinal = code.split("-")
    day = f"{date[-2:]}/{date[-4:-2]}/20{date[-6:-4]}"
    (reading,) = read(f"cho em hỏi hồ sơ ở {named} {before_day} {day} {before_ordinal} {ordinal}").readings
    assert f"{named}-{date}-{ordinal}" in reading.candidates


def test_a_day_that_is_named_has_no_digit_of_the_agency_or_the_ordinal() -> None:
    (reading,) = read("toi nop ho so o H01.31.10 ngay 23/11/2026 so 0001 xong chua").readings
    assert set(reading.candidates) == {"H01.31.10-261123-0001", "H01.31.10-20261123-0001"}


ORDINARY = (
    "so 12",
    "so 12 duong Nguyen Trai",
    "nha so 12",
    "so nha 0012",
    "so dien thoai 0912345678",
    "so 0912345678",
    "so 0912 345 678",
    "so dt 0912.345.678",
    "so CCCD 089180815123",
    "so 351 808 150",
    "so 12/5 duong 30/4",
    "ngay 15/8/2018",
    "ngay 15/8/2018 so 12",
    "hen ngay 20/8/2018 so thu tu 15",
    "stt 15",
)


@given(codes(), st.sampled_from(ORDINARY), st.sampled_from((" ", ", ", ". ", "\n")))
def test_words_for_a_date_and_an_ordinal_behind_a_whole_code_are_not_its_own(code: str, words: str, apart: str) -> None:
    readings = read(f"{code}{apart}{words}").readings
    assert [reading.candidates for reading in readings] == [reading.candidates for reading in read(code).readings]


@pytest.mark.parametrize(
    "text",
    [
        *(f"H01.12-180802 {words}" for words in ORDINARY if words not in ("so 12", "stt 15")),
        "H01.12 ngay 18/08/2018 12 gio",
        "H01.12 ngay 18/08/2018 goi so 0912345678",
        "H01.12 ngay 18/08/2018 so 12 duong Nguyen Trai",
        "nop o H01.12 ngay 18/08/2018 luc 0830",
        "H01.12 so 12 ngay 18/08/2018",
        "H01.12-180802 so 1234 duong Hung Vuong",
        "H01.12-180802 stt 12/5",
        "H01.12-180802 so 00l2x",
    ],
)
def test_words_with_numbers_do_not_make_a_code_of_the_half_of_one(text: str) -> None:
    assert read(text).readings == ()


@given(codes(), st.integers(1, 3), st.sampled_from((" ", "\n", "-", ". ")))
def test_an_ordinal_in_pieces_is_read_whole_too(code: str, first: int, between: str) -> None:
    agency_and_date, _, ordinal = code.rpartition("-")
    printed = f"{agency_and_date}-{ordinal[-4:]}"
    torn = f"{agency_and_date}-{ordinal[-4:][:first]}{between}{ordinal[-4:][first:]}"
    (reading,) = read(torn).readings
    assert printed in reading.candidates
    assert (reading.candidates[0] == printed) == (ordinal[-4] == "0")  # else the rest may be said of something else


@pytest.mark.parametrize(
    "text",
    [
        "H01.29.01-0815-0001",  # the year
        "H01.29.01-1808-0001",  # the day
        "H01.29.01-18081-0001",  # a digit of it
        "H01.29.01-18-0001",
        "H01.29.01-1808155-0001",  # a digit too many
        "H01.29.01-18081-50001",
        "000.00.12.H01-18081-00012",
    ],
)
def test_a_code_whose_digits_are_not_those_of_one_is_sure_to_be_none_of_its_readings(text: str) -> None:
    assert not any(reading.sure for reading in read(text).readings)


@given(codes(), st.integers(1, 3), st.from_regex(r"[AC-HJKMNP-RT-Z][A-Z]{0,3}[0-9]{0,2}", fullmatch=True))
def test_letters_in_place_of_an_ordinals_last_digits_are_never_left_out(code: str, typed: int, letters: str) -> None:
    head, _, ordinal = code.rpartition("-")
    assert read(f"{head}-{ordinal[-4:][:typed]}{letters}").readings == ()


@pytest.mark.parametrize(
    "text",
    [
        "H01.12-180802-001Z",
        "H01.12-180802-1A",
        "H01.12-180802-01e",
        "H01.12-180802-1a2",
        "H01.12-180802-1g2",
        "H01.12-180802-0012x5",
        "H01.12-180802 001t",
        "12.H01-180802-001Z",
        "h0112180802 001z",
        "h0112180802001z",
        "h0112180802001z xong chua",
        "H 0 1 . 1 2 - 1 8 0 8 0 2 - 0 0 1 Z",
        "000.00.A2.H01-180802-0012",
        "000.00.1A.H01-180802-0012",
        "000.A7.22.H01-180802-0012",
        "00A.00.12.H01-180802-0012",
        "A2.H01-180802-0012",
        "1AH01-180802-0012",
        "DK 000.00.X2.H01-180802-0012",
        "DK H01.12-180802-001Z",
        "H01.12-2018-08-02-001Z",
    ],
)
def test_a_code_with_letters_in_place_of_digits_is_incomplete(text: str) -> None:
    assert read(text) == Read((), Hint.PART)
    assert read(f"{text}, 0912345678").readings == ()


@pytest.mark.parametrize(
    "code", ["H01.12-180802-0012", "000.00.12.H01-180802-0012", "h0112180802 0012", "h01121808020012"]
)
@pytest.mark.parametrize(
    "word", ["oi", "ơi", "ok", "o", "lâu quá", "lau qua", "bao gio xong", "Sở", "so", "bi loi", "sao", "ạ", "xong chua"]
)
def test_a_word_that_is_glued_to_a_whole_code_is_no_part_of_it(code: str, word: str) -> None:
    (alone,), (glued,) = read(code).readings, read(f"{code}{word}").readings
    assert glued.sure
    assert glued.candidates[0] == alone.candidates[0]
    assert set(alone.candidates) <= set(glued.candidates)


def test_a_letter_that_stands_for_the_fourth_digit_of_an_ordinal_is_one() -> None:
    for ordinal in ("001O", "OO1o", "ool0"):
        assert read(f"H01.12-180802-{ordinal}") == read("H01.12-180802-0010.")


def test_a_word_that_may_as_well_be_the_last_digits_of_an_ordinal_is_read_as_both() -> None:
    (reading,) = read("H01.12-180802-12oi").readings
    assert {"H01.12-180802-0012", "H01.12-180802-1201"} <= set(reading.candidates)


def test_no_dossier_of_a_day_has_the_number_0() -> None:
    for ordinal in ("0", "00", "000"):
        assert read(f"H01.12-180802-{ordinal}") == Read((), Hint.PART)


def test_a_digit_is_never_changed() -> None:
    for candidate in read("H01.12-180802-0012").readings[0].candidates:
        assert candidate.replace("-20180802-", "-180802-") == "H01.12-180802-0012"


def test_a_date_that_can_be_read_in_two_orders_is_read_in_both() -> None:
    candidates = read("H01.12-190818-0012").readings[0].candidates
    assert {"H01.12-190818-0012", "H01.12-180819-0012"} <= set(candidates)


@pytest.mark.parametrize(
    ("ordinal", "suggested"),
    [("00001", ["0001"]), ("000012", ["00012", "0012"]), ("0092637", ["092637", "92637"]), ("0012", []), ("10000", [])],
)
def test_an_ordinal_with_zeros_too_many_is_suggested_without_them(ordinal: str, suggested: list[str]) -> None:
    (reading,) = read(f"H01.12-180802-{ordinal}").readings
    without = [code.removeprefix("H01.12-180802-") for code in reading.suggestions if code.startswith("H01.12-180802")]
    assert without == suggested
    assert not any(code in reading.candidates for code in reading.suggestions)


@pytest.mark.parametrize(
    ("text", "repeated"),
    [
        ("H01.31.10-261131-0001", "H01.31.10-261131-0001"),
        ("H01.12-260230-0012", "H01.12-260230-0012"),
        ("h0112261132 12", "H01.12-261132-0012"),
        ("12.H01-261131-0012", "000.00.12.H01-261131-0012"),
        ("H01.12-020818-0012", "H01.12-020818-0012"),
        ("H01.12 2/8/2018 12", "H01.12-02082018-0012"),
        ("H01.12-20180802-12", "H01.12-20180802-0012"),
    ],
)
def test_a_date_is_repeated_as_it_was_typed_so_that_a_slip_in_it_shows(text: str, repeated: str) -> None:
    (reading,) = read(text).readings
    assert reading.literal == repeated


@given(codes())
def test_a_code_as_issued_is_repeated_to_the_letter(code: str) -> None:
    assert read(code).readings[0].literal == code


def test_a_word_before_a_code_that_looks_like_a_unit_does_not_change_what_is_read_first() -> None:
    (reading,) = read("nop o H01.31.10-23/11/2026-0001").readings
    assert reading.candidates[0] == "H01.31.10-20261123-0001"


def test_the_same_office_in_the_other_form_is_only_suggested() -> None:
    (reading,) = read("H01.12-180802-0012").readings
    assert "000.00.12.H01-180802-0012" in reading.suggestions
    assert "000.00.12.H01-180802-0012" not in reading.candidates


@settings(max_examples=150)
@given(st.text(max_size=5000) | st.text(alphabet="H019.- OIlSB,", max_size=5000))
@example("H01" * 1600)
@example("'; DROP TABLE dossier; --" * 100)
@example("{{ 7*7 }}<script>alert(1)</script>\u202e\x00\x1b[31m")
@example("H01.12-180802-0012 " * 260)
def test_no_text_breaks_it_or_makes_it_guess_wildly(text: str) -> None:
    got = read(text)
    assert len(got.readings) <= MOST_CODES
    assert all(1 <= len(reading.candidates) <= MOST_CANDIDATES for reading in got.readings)
    assert all(parse(code) for reading in got.readings for code in reading.candidates)
