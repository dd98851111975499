"""Workbooks with the recipients of a notice: read as they are shown, and harmless whatever is in them."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from smsgw.notices.recipients import Recipient, RowError
from tests.lists import SHEET, audience, errors, read_or_refused, recipients, refusal, repacked, xlsx


def test_two_halves_in_a_workbook_make_one_character() -> None:
    assert [found.values for found in recipients(xlsx(["phone", "x"], ["0912345678", "_xD83D__xDE00_"]), "((x))")] == [
        {"x": "😀"}
    ]


def test_a_workbook_is_read_as_it_is_shown() -> None:
    content = xlsx(
        ["phone", "Ngày", "Số", "Đúng", "Lúc"],
        [912345678, date(2018, 8, 2), 1.5, True, datetime.fromisoformat("2018-08-02 09:30")],
        [],
        ["0987654321", None, 1500000, False, 0.1 + 0.2],
    )
    first, second = (
        found.values if isinstance(found, Recipient) else found
        for found in audience(content, "((ngay)) ((so)) ((dung)) ((luc))")
    )
    assert first == {"ngay": "02/08/2018", "so": "1.5", "dung": "TRUE", "luc": "09:30 02/08/2018"}
    assert isinstance(second, RowError)
    assert (second.row, second.column) == (4, "Ngày")
    assert recipients(content, "((luc))")[1].values == {"luc": "0.3"}


def test_a_formula_counts_by_its_value_and_without_one_is_named() -> None:
    content = xlsx(["phone", "x"], ["=A1", "1"], ["0912345678", '=""'])
    assert [(error.row, error.column) for error in errors(content, "((x))")] == [(2, "phone"), (3, "x")]
    assert all("formula" in error.problem for error in errors(content, "((x))"))
    calculated = repacked(
        content, **{SHEET: lambda sheet: sheet.replace(b"<f>A1</f><v />", b"<f>A1</f><v>912345678</v>")}
    )
    assert [found.phone for found in recipients(calculated)] == ["84912345678", "84912345678"]


def test_the_first_sheet_that_can_be_seen_is_read() -> None:
    def change(book: Workbook) -> None:
        book.worksheets[0].sheet_state = "hidden"
        book.create_sheet("B").append(["phone"])
        book["B"].append(["0987654321"])

    assert [found.phone for found in recipients(xlsx(["phone"], ["0912345678"], change=change))] == ["84987654321"]


def test_texts_in_pieces_and_without_places_are_read() -> None:
    """As programs other than Excel write them: inline, in runs, with phonetic readings, without references."""
    rows = (
        b'<row><c t="inlineStr"><is><t>phone</t></is></c><c t="inlineStr"><is><t>x</t></is></c></row>'
        b'<row><c><v>9.12345678E8</v></c><c t="inlineStr"><is><r><t>Ng</t></r><r><t>uy_x1EC5_n</t></r>'
        b"<rPh><t>no</t></rPh></is></c></row>"
    )
    sheet = b'<worksheet xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main"><sheetData>%s</sheetData></worksheet>'
    (found,) = recipients(repacked(xlsx(["phone"]), **{SHEET: sheet % rows}), "((x))")
    assert (found.row, found.phone, found.values) == (2, "84912345678", {"x": "Nguyễn"})


def test_a_cell_at_the_far_end_is_harmless() -> None:
    def change(book: Workbook) -> None:
        book.worksheets[0]["XFD1048576"] = "x"
        book.worksheets[0]["XFD2"] = "x"

    assert [found.row for found in recipients(xlsx(["phone"], ["0912345678"], change=change))] == [2]


def bomb(size: int) -> bytes:
    return b"<worksheet><sheetData>" + b"<row/>" * (size // 6) + b"</sheetData></worksheet>"


ENTITIES = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
    b"<worksheet><sheetData><row><c><v>&b;</v></c></row></sheetData></worksheet>"
)


def texts_named(relations: bytes) -> bytes:
    """The workbook's relations with one to a part of shared texts."""
    kind = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    named = b'<Relationship Id="texts" Type="' + kind + b'" Target="sharedStrings.xml"/></Relationships>'
    return relations.replace(b"</Relationships>", named)


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({SHEET: bomb(8 << 20)}, "unpack"),
        ({"xl__styles_0_xml": b"<a>" + b"<b/>" * (2 << 20) + b"</a>"}, "unpack"),
        ({SHEET: ENTITIES}, "declarations"),
        ({SHEET: ENTITIES.decode().encode("utf-16")}, "declarations"),
        ({"xl__sharedStrings_0_xml": ENTITIES, "xl___rels__workbook_0_xml_0_rels": texts_named}, "declarations"),
        ({"xl__workbook_0_xml": ENTITIES}, "declarations"),
        ({"xl__vbaProject_0_bin": b"macro"}, "macros"),
        ({"xl__workbook_0_bin": b"x"}, ".xlsb"),
        ({"content_0_xml": b"x"}, ".ods"),
        ({SHEET: b"<worksheet><sheetData><row>"}, "damaged"),
        ({SHEET: b'<worksheet><sheetData><row r="99999999999"/></sheetData></worksheet>'}, "damaged"),
        ({"xl___rels__workbook_0_xml_0_rels": b"<none/>"}, "no sheet"),
        ({SHEET: b"<worksheet/>"}, "empty"),
    ],
)
def test_a_hostile_workbook_is_refused(parts: dict[str, bytes], named: str) -> None:
    assert named in refusal(repacked(xlsx(["phone"], ["0912345678"]), **parts))


def test_texts_that_cells_share_are_read() -> None:
    texts = b"<sst><si><t>phone</t></si><si><t> x </t></si><si><r><t>Ng</t></r><r><t>uy_x1EC5_n</t></r></si></sst>"
    rows = (
        b'<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row>'
        b'<row r="3"><c r="A3"><v>912345678</v></c><c r="C3" t="s"><v>2</v></c></row>'
        b'<row r="4"><c r="A4"><v>912345678</v></c><c r="C4" t="s"><v>9</v></c></row>'
    )
    sheet = b"<worksheet><sheetData>" + rows + b"</sheetData></worksheet>"
    named = repacked(xlsx(["phone"]), xl___rels__workbook_0_xml_0_rels=texts_named, xl__sharedStrings_0_xml=texts)
    good, bad = audience(repacked(named, **{SHEET: sheet}), "((x))")
    assert good == Recipient(3, "84912345678", {"x": "Nguyễn"})
    assert isinstance(bad, RowError)
    assert (bad.row, bad.column) == (4, "x")


def test_a_part_that_lies_about_its_size_is_refused() -> None:
    honest = repacked(xlsx(["phone"], ["0912345678"]), **{SHEET: bomb(8 << 20)})
    size = len(bomb(8 << 20)).to_bytes(4, "little")
    assert "damaged" in refusal(honest.replace(size, (1000).to_bytes(4, "little")))


def test_a_zip_that_is_no_workbook_is_refused() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    assert "no spreadsheet" in refusal(made.getvalue())


@given(st.data())
def test_any_damage_to_a_workbook_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    read_or_refused(bytes(content))


@given(st.binary(max_size=200))
def test_any_sheet_is_read_or_refused(inside: bytes) -> None:
    read_or_refused(
        repacked(WHOLE, **{SHEET: b"<worksheet><sheetData><row>" + inside + b"</row></sheetData></worksheet>"})
    )


WHOLE = xlsx(["phone", "x"], [912345678, date(2018, 8, 2)], ["0987654321", "Nguyễn"])


def test_what_openpyxl_reads_is_what_is_read() -> None:
    rows = [["phone", "Mã"], *[[f"09{number:08}", f"H01.12-180802-{number:04}"] for number in range(50)]]
    content = xlsx(*rows)
    read = load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(min_row=2, values_only=True)
    assert [(f"0{found.phone[2:]}", found.values["ma"]) for found in recipients(content, "((ma))")] == [*read]
