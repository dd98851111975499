"""Invented applicants, and what offices write about their dossiers."""

from __future__ import annotations

import random

from smsgw.text.phones import MIGRATED

_FAMILY = (
    "Nguyễn",
    "Trần",
    "Lê",
    "Phạm",
    "Huỳnh",
    "Võ",
    "Phan",
    "Trương",
    "Bùi",
    "Đặng",
    "Đỗ",
    "Ngô",
    "Hồ",
    "Dương",
    "Lý",
    "Chau",
    "Neáng",
)
_MIDDLE = ("Văn", "Thị", "Hữu", "Ngọc", "Minh", "Thanh", "Quốc", "Kim", "Hoàng", "Bảo", "Xuân", "Mỹ")
_GIVEN = (
    "An",
    "Bình",
    "Châu",
    "Dũng",
    "Giang",
    "Hạnh",
    "Hùng",
    "Khánh",
    "Lan",
    "Liên",
    "Long",
    "Mai",
    "Nam",
    "Nga",
    "Phúc",
    "Phượng",
    "Quân",
    "Sang",
    "Tâm",
    "Thảo",
    "Thu",
    "Trang",
    "Tú",
    "Vinh",
    "Yến",
)

_PREFIXES = (
    "32",
    "34",
    "36",
    "38",
    "39",
    "70",
    "76",
    "79",
    "81",
    "83",
    "85",
    "86",
    "88",
    "90",
    "91",
    "93",
    "94",
    "96",
    "97",
    "98",
)
_OLD_PREFIXES = tuple(MIGRATED)

STEPS = {
    1: ("Bộ phận Một cửa chờ tiếp nhận",),
    2: ("Bộ phận Một cửa", "Chuyển phòng chuyên môn"),
    3: ("Bộ phận Một cửa",),
    4: (
        "Chuyên viên thụ lý",
        "Thẩm định hồ sơ",
        "Lãnh đạo phòng xem xét",
        "Lãnh đạo cơ quan phê duyệt",
        "Văn thư đóng dấu",
    ),
    5: ("Chờ bổ sung giấy tờ",),
    6: ("Chờ nộp phí, lệ phí",),
    7: ("Bộ phận Một cửa",),
    8: ("Phòng chuyên môn",),
    9: ("Bộ phận Một cửa trả kết quả",),
    10: ("Đã kết thúc",),
}
MISSING = (
    "Bản sao chứng minh nhân dân có chứng thực", "Sổ hộ khẩu bản chính để đối chiếu", "Tờ khai chưa ký tên",
    "Giấy chứng nhận quyền sử dụng đất bản chính", "Giấy khám sức khỏe còn thời hạn", "02 ảnh 3x4 nền trắng",
    "Bản vẽ thiết kế có đóng dấu", "Giấy ủy quyền có chứng thực",
)  # fmt: skip
DELAYS = (
    "Chờ ý kiến của cơ quan phối hợp", "Chờ xác minh tại thực địa", "Hồ sơ cần xác minh thêm", "Lỗi hệ thống phần mềm",
)  # fmt: skip


def name(chance: random.Random) -> str:
    """A name such as Nguyễn Thị Lan."""
    return f"{chance.choice(_FAMILY)} {chance.choice(_MIDDLE)} {chance.choice(_GIVEN)}"


def phone(chance: random.Random) -> str:
    """A phone as offices write it: new mobile numbers in several ways, old eleven-digit ones, some landlines."""
    kind = chance.random()
    if kind < 0.05:
        return f"02963{chance.randrange(10**6):06}"
    old = kind < 0.25
    prefix = chance.choice(_OLD_PREFIXES if old else _PREFIXES)
    rest = f"{chance.randrange(10**7):07}"
    written = chance.randrange(5)
    if written == 0:
        return f"+84{prefix}{rest}"
    if written == 1:
        return f"0{prefix}.{rest[:3]}.{rest[3:]}"
    if written == 2:
        return f"0{prefix} {rest[:3]} {rest[3:]}"
    return f"0{prefix}{rest}"


def tracking(chance: random.Random) -> str:
    """A number of the post's, such as EK123456789VN."""
    return f"E{chance.choice('BEKM')}{chance.randrange(10**9):09}VN"
