"""A dossier as the one-stop database shows it."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import Literal, NamedTuple

from smsgw.text.phones import msisdn


class Status(IntEnum):
    """The ten national codes of a dossier's state."""

    REGISTERED = 1  # Mới đăng ký, chờ tiếp nhận
    RECEIVED = 2  # Được tiếp nhận
    NOT_ACCEPTED = 3  # Không được tiếp nhận
    IN_PROGRESS = 4  # Đang xử lý
    SUPPLEMENT_ASKED = 5  # Yêu cầu bổ sung giấy tờ
    FEE_ASKED = 6  # Yêu cầu thực hiện nghĩa vụ tài chính
    WITHDRAWN = 7  # Công dân yêu cầu rút hồ sơ
    STOPPED = 8  # Dừng xử lý
    RESOLVED = 9  # Đã xử lý xong
    RETURNED = 10  # Đã trả kết quả


Delivery = Literal["counter", "post", "online"]


class Dossier(NamedTuple):
    """One row of the view `dossier_status`. Times are aware, in UTC; money is in đồng; the phone is as written."""

    code: str
    procedure_code: str
    procedure_name: str
    agency_code: str
    agency_name: str
    service_level: int
    applicant_name: str
    applicant_phone: str
    status: Status
    step_name: str
    step_since: datetime | None
    received_at: datetime | None
    due_at: datetime | None
    finished_at: datetime | None
    returned_at: datetime | None
    new_due_at: datetime | None
    delay_reason: str | None
    supplement_note: str | None
    supplement_due_at: datetime | None
    fee_due: int | None
    fee_paid_at: datetime | None
    delivery: Delivery
    post_tracking: str | None
    updated_at: datetime

    @property
    def owner(self) -> str | None:
        """The MSISDN of the person who applied, in whatever form it is written there; None if it is no phone's."""
        return msisdn(self.applicant_phone or "")
