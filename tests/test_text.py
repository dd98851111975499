"""Texts and numbers as the mobile network sees them."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import date, datetime
from pathlib import Path
from typing import Any

import gsm0338
import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smsgw.text.accents import fold, lost, plain
from smsgw.text.alphabet import BASIC, EXTENSION, is_gsm7, septets, storable, utf16_units
from smsgw.text.phones import MIGRATED, is_service, mask, mask_all, msisdn
from smsgw.text.segments import fits, measure, split

CASES = json.loads((Path(__file__).parent / "segments_cases.json").read_text(encoding="utf-8"))["cases"]
NAMES = {"gsm7": "GSM-7", "ucs2": "UCS-2"}
texts = st.text(alphabet=st.characters(codec="utf-8"), max_size=400) | st.text("aé€^đ😀\r\\ńẠ", max_size=400)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["cat"])
def test_sizes_are_those_that_the_carriers_charge_for(case: dict[str, Any]) -> None:
    size = measure(case["text"])
    assert (NAMES[size.encoding], size.segments, size.units) == (case["encoding"], case["segments"], case["units"])


@given(texts)
@example("😀" * 40)
@example("€" * 100)
@example("👨‍👩‍👧‍👦" * 20)
@example("a" + "\u0301" * 200)
def test_segments_fit_and_make_up_the_whole_text(text: str) -> None:
    parts, size = split(text), measure(text)
    room = {"gsm7": (160, 153), "ucs2": (70, 67)}[size.encoding][len(parts) > 1]
    units = septets if size.encoding == "gsm7" else utf16_units
    assert "".join(parts) == unicodedata.normalize("NFC", text)
    assert len(parts) == size.segments
    assert all(units(part) <= room for part in parts)
    assert size.remaining == room - units(parts[-1])


def test_the_alphabet_is_the_standards() -> None:
    for character in map(chr, range(0x20, 0x3000)):
        assert is_gsm7(character) == (character in BASIC | EXTENSION)
    codec = gsm0338.Codec()
    for character in sorted(BASIC | EXTENSION):
        assert len(codec.encode(character)[0]) == septets(character)


@given(texts, st.integers(0, 500), st.integers(1, 4))
@example("a" + "\u0301" * 200, 0, 1)
def test_a_text_fits_as_many_segments_as_it_takes_and_no_fewer(text: str, more: int, segments: int) -> None:
    text += "x" * more
    assert fits(text, segments) == (measure(text).segments <= segments)


@given(texts)
@example("Ủy ban nhân dân Đông Xuyên – “Sở TNMT” … 1.500.000 ₫")
def test_an_unaccented_text_always_goes_out_as_gsm7(text: str) -> None:
    assert is_gsm7(plain(text))
    assert plain(plain(text)) == plain(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lệ phí 50.000 ₫", "le phi 50.000 d"),
        ("100 m², 25 °C, ½ ngày, 3 × 4, ≥ 18 tuổi", "100 m2, 25 oC, 1/2 ngay, 3 x 4, >= 18 tuoi"),
        ("№ 5 → quầy ①", "No 5 -> quay 1"),
        ("Kính\u200b gửi\ufeff ông\u00ad bà\u200e", "Kinh gui ong ba"),
        ("Mời ông\vMời bà\u2028Hết", "Moi ong\nMoi ba\nHet"),
        ("\uff28\uff10\uff11 \ufb01le", "H01 file"),
        ("\u0421\u0421\u0421\u0420 😀", "CCCP ?"),
    ],
)
def test_what_is_pasted_from_elsewhere_goes_out_as_one_would_type_it(text: str, said: str) -> None:
    assert plain(text) == said


def test_what_has_no_place_in_an_unaccented_text_is_named_once() -> None:
    assert lost("Có 😀 hay ✓ không? 😀 m² ₫") == ["😀", "✓"]
    assert lost("Đã có kết quả?\n{Mời} ông/bà đến.") == []


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_vietnamese_loses_its_accents_and_nothing_else(form: Any) -> None:
    assert fold(unicodedata.normalize(form, "Đường Nguyễn Huệ, ở phường Mỹ Quý")) == "Duong Nguyen Hue, o phuong My Quy"


@given(st.text())
@example("\x00\ud800a")
def test_what_is_stored_can_be_stored(text: str) -> None:
    kept = storable(text)
    kept.encode("utf-8")
    assert "\x00" not in kept


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("84912345678", "84912345678"),
        ("0912.345.678", "84912345678"),
        ("+84 912 345 678", "84912345678"),
        ("(0912) 345-678", "84912345678"),
        ("(+84) 912 345 678", "84912345678"),
        ("\u202a+84 912 345 678\u202c", "84912345678"),
        ("0084912345678", "84912345678"),
        ("912345678", "84912345678"),
        ("０９１２３４５６７８", "84912345678"),
        ("0163 123 4567", "84331234567"),
        ("841631234567", "84331234567"),
        ("1631234567", "84331234567"),
        ("02963 852 123", "842963852123"),
        ("+14155552671", "14155552671"),
        ("8188", None),
        ("1022", None),
        ("Viettel", None),
        ("0912345678a", None),
        ("19001234", None),
        ("8418001091", None),
        ("", None),
        ("123456789012", None),
    ],
)
def test_a_number_is_known_however_it_is_written(written: str, digits: str | None) -> None:
    assert msisdn(written) == digits


@pytest.mark.parametrize("old", sorted(MIGRATED))
def test_every_old_prefix_of_2018_becomes_a_number_that_exists(old: str) -> None:
    new = msisdn(f"0{old}1234567")
    assert new == f"84{MIGRATED[old]}1234567"
    assert phonenumbers.is_possible_number(phonenumbers.parse(f"+{new}"))


@given(st.text(alphabet="0123456789+ .-()", max_size=16))
def test_a_known_number_stays_the_same(text: str) -> None:
    digits = msisdn(text)
    assert digits is None or msisdn(digits) == digits or msisdn("+" + digits) == digits


def test_service_numbers_are_a_kind_of_their_own() -> None:
    for number in ("8188", "19001080", "841800123456", "00841900123456"):
        assert is_service(number)
        assert msisdn(number) is None
    for other in ("84912345678", "VNPT", "09123"):
        assert not is_service(other)


def test_a_number_is_masked_and_a_code_is_not() -> None:
    assert mask("84912345678") == "84912***678"
    assert mask_all("84912345678 va 0912.345.678, +84 912 345 678") == "84912***678 va 091***78, 84912***678"
    kept = (
        "H01.12-180802-0012 000.00.12.H01-180802-0012 G09.20-20260609-0092637 2026-11-24 05:00:00"
        " 2026-11-24T05:00:00+07:00 019a1b2c-1234-7abc-9def-123456789012 180802-0012"
    )
    assert mask_all(kept) == kept


@pytest.mark.parametrize(
    "said",
    [
        "From=%2B84912345678&To=8188",
        "from=%2b84912345678",
        "to=+84+912+345+678",
        "text=goi+0912345678+nhe",
        "text=goi%200912%20345%20678",
        "text=%C4%91%E1%BB%A30912345678",
        '"text":"g\\u1ecdi\\u002b84912345678"',
        '"text":"a\\n0912345678"',
        "<to>&#43;84912345678</to>",
        "tel:+84912345678",
        "tel%3A%2B84912345678",
        "84912345678%2C84987654321",
        "(091) 234 5678",
        "sdt0912345678nhe",
        "SDT:0912345678",
        "S\u0110T:0912345678",
        "Phone:84912345678",
        "MSISDN:84912345678",
        "Tel:0912 345 678",
        "s\u1ed1:0912345678",
        "SDT.0912345678",
        "sms-84912345678",
        "SDT_0912.345.678",
        "SDT%0912345678",
        "3:0912345678",
        "0912 345 678: Nam",
        "0912345678-Nam",
        "2026-11-24 0912345678",
    ],
)
def test_a_number_is_masked_however_a_wire_format_writes_it(said: str) -> None:
    shown = re.sub(r"%2\w|[^0-9a-z*]", "", mask_all(said))
    assert "***" in shown
    assert "912345678" not in shown
    assert "987654321" not in shown


@given(
    st.text(st.characters(categories=["Lu", "Ll"]), min_size=1, max_size=12),
    st.sampled_from([*":.-_=/#,;|", " ", ": ", ".:", " - "]),
    st.sampled_from(["0912345678", "84912345678", "+84912345678", "0912 345 678", "0912.345.678", "02963 852 123"]),
    st.sampled_from(["", " ", ".", ": Nam", "-Nam", "\n"]),
)
def test_no_label_lets_a_number_through(label: str, separator: str, number: str, behind: str) -> None:
    shown = re.sub(r"[ .\-+]", "", mask_all(label + separator + number + behind))
    assert not re.search(r"\d{8}", shown.removeprefix(label), re.ASCII)


@given(
    st.text(st.characters(categories=["Lu", "Ll"]), max_size=12),
    st.sampled_from([*":.-_=/#,;|", " ", ": "]),
    st.from_regex(r"[A-Z][0-9]{2}(\.[0-9]{2,3}){0,3}-([0-9]{6}|[0-9]{8})-[0-9]{4,7}", fullmatch=True)
    | st.from_regex(r"000\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2}-([0-9]{6}|[0-9]{8})-[0-9]{4,7}", fullmatch=True)
    | st.builds(datetime.combine, st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.times()).map(str)
    | st.builds(datetime.combine, st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.times()).map(datetime.isoformat)
    | st.uuids().map(str),
)
@example("id", ":", "019a1b2c-1234-7abc-9def-084912345678")
def test_codes_times_and_ids_stay_readable_behind_any_label(label: str, separator: str, said: str) -> None:
    assert mask_all(label + separator + said) == label + separator + said


@given(st.from_regex(r"[0-9]{5,15}", fullmatch=True))
def test_a_mask_hides_the_middle(number: str) -> None:
    assert number not in mask(number)
    assert len(mask(number).replace("***", "")) <= max(8, len(number) // 2)


@pytest.mark.parametrize("service", ["18001091", "19001234", "1900123456", "8418001091"])
def test_a_hotline_is_nobody(service: str) -> None:
    assert msisdn(service) is None
