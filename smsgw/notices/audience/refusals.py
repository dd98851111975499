"""Why an audience is refused as a whole, in one sentence for the official who brought it."""

from __future__ import annotations

from smsgw.failure import ExpectedFailure
from smsgw.text.languages import Language


class AudienceRefused(ExpectedFailure):
    """A file that can't be read, or lacks what the text needs. The text is English; `said` has both languages."""

    def __init__(self, why: str, **details: object) -> None:
        super().__init__(why, details)
        self.why = why
        self.details = details

    def said(self, language: Language) -> str:
        """The sentence for people."""
        return _SENTENCES[language][self.why].format_map(self.details)

    def __str__(self) -> str:
        return self.said("en")


_SENTENCES: dict[Language, dict[str, str]] = {
    "en": {
        "empty": "the file is empty",
        "too_large": "the file is larger than {limit} MB; split it",
        "web_page": "the file is a web page or XML with the name of a spreadsheet; open it in the spreadsheet program"
        " and save it as .xlsx or CSV",
        "old_xls": "the file is an old Excel workbook (.xls); save it as .xlsx or CSV",
        "password": "the file is protected by a password; save it without one",
        "macros": "the file contains macros; save it as .xlsx, which has none",
        "binary_workbook": "the file is a binary workbook (.xlsb); save it as .xlsx or CSV",
        "open_document": "the file is an OpenDocument spreadsheet (.ods); save it as .xlsx or CSV",
        "no_workbook": "the file is no spreadsheet; save the table as .xlsx or CSV",
        "no_sheet": "the workbook has no sheet that can be seen",
        "damaged": "the workbook is damaged ({part}); open it in the spreadsheet program and save it again",
        "bomb": "the workbook would unpack to more than a table of this size needs, so it was not opened; save the"
        " table alone as .xlsx or CSV",
        "declarations": "the workbook contains XML declarations that no spreadsheet program writes; save it again",
        "no_text": "the file is no text; save the table as .xlsx or CSV",
        "encoding": "the characters of the file can't be read; save it as .xlsx or CSV UTF-8",
        "quotes": "row {row}: a quotation mark stands where none belongs, or is never closed; mend that row, or save"
        " the table as .xlsx",
        "no_rows": "the file has a heading and no rows under it",
        "no_phone": "the file has no column named phone; the first row has: {columns}",
        "two_phones": "more than one column may be the number: {columns}; name the right one phone",
        "twice": "the column {columns} is there twice; name them differently",
        "missing": "the text names what the file has no column for: {columns}; the columns are: {there}",
        "no_field": "the text names what no dossier has: {columns}; possible are: {there}",
        "rows": "the file has more than {limit} rows; split it",
        "columns": "the file has more than {limit} columns; leave only those that the text needs",
    },
    "vi": {
        "empty": "tệp trống",
        "too_large": "tệp lớn hơn {limit} MB; xin chia nhỏ",
        "web_page": "tệp là trang web hoặc XML mang tên bảng tính; xin mở bằng Excel rồi lưu lại thành .xlsx hoặc CSV",
        "old_xls": "tệp thuộc loại Excel cũ (.xls); xin lưu lại thành .xlsx hoặc CSV",
        "password": "tệp có mật khẩu; xin lưu lại không có mật khẩu",
        "macros": "tệp có macro; xin lưu lại thành .xlsx, là loại không có macro",
        "binary_workbook": "tệp thuộc loại Excel nhị phân (.xlsb); xin lưu lại thành .xlsx hoặc CSV",
        "open_document": "tệp là bảng tính OpenDocument (.ods); xin lưu lại thành .xlsx hoặc CSV",
        "no_workbook": "tệp không phải bảng tính; xin lưu bảng thành .xlsx hoặc CSV",
        "no_sheet": "tệp Excel không có trang tính nào nhìn thấy được",
        "damaged": "tệp Excel bị hỏng ({part}); xin mở bằng Excel rồi lưu lại",
        "bomb": "tệp Excel giải nén ra lớn hơn mức một bảng như vậy cần nên không được mở; xin lưu riêng bảng"
        " thành .xlsx hoặc CSV",
        "declarations": "tệp Excel chứa khai báo XML mà không chương trình bảng tính nào ghi; xin lưu lại",
        "no_text": "tệp không phải văn bản; xin lưu bảng thành .xlsx hoặc CSV",
        "encoding": "không đọc được chữ trong tệp; xin lưu lại thành .xlsx hoặc CSV UTF-8",
        "quotes": "dòng {row}: dấu ngoặc kép đặt sai chỗ hoặc không đóng; xin sửa dòng đó, hoặc lưu bảng thành .xlsx",
        "no_rows": "tệp chỉ có dòng tiêu đề, không có dòng nào bên dưới",
        "no_phone": "tệp không có cột số điện thoại (tên cột: Số điện thoại, SĐT hoặc phone); dòng đầu có: {columns}",
        "two_phones": "có hơn một cột có thể là số điện thoại: {columns}; xin để một cột mang tên phone, đổi tên các"
        " cột kia",
        "twice": "cột {columns} có hai lần; xin đặt tên khác nhau",
        "missing": "nội dung nhắc đến cột mà tệp không có: {columns}; các cột có là: {there}",
        "no_field": "nội dung nhắc đến mục mà hồ sơ không có: {columns}; có thể dùng: {there}",
        "rows": "tệp có hơn {limit} dòng; xin chia nhỏ",
        "columns": "tệp có hơn {limit} cột; xin chỉ giữ các cột mà nội dung cần",
    },
}
