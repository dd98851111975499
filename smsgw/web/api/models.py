"""What /api takes and gives, field by field. The descriptions are what its readers see."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from smsgw.notices.drafting import LONGEST_NAME, LONGEST_TEXT
from smsgw.text.languages import Language
from smsgw.web.api.kinds import (
    Accents,
    Before,
    Day,
    Masked,
    Moment,
    Phone,
    Reference,
    Sought,
    StateOfMessage,
    StateOfNotice,
    StateSought,
    Taken,
    Text,
    few,
)

PAGE = 50
LARGEST_PAGE = 200


class FieldProblem(BaseModel):
    field: str
    problem: str


class Problem(BaseModel):
    """RFC 9457, `application/problem+json`."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Conflict"])
    status: int = Field(examples=[409])
    detail: str = Field(description="What was wrong and what to do, for people.")
    reason: str = Field(description="The same in a word, for programs.", examples=["opted_out"])
    errors: list[FieldProblem] | None = Field(None, description="Which fields, and what is wrong with each.")


class Once(BaseModel):
    idempotency_key: str | None = Field(
        None,
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="A name of your own for this request. Within a day, the same request under the same name is done"
        " once: when it comes again, the answer is what was made the first time, with the header Idempotency-Replayed.",
    )


class Id(BaseModel):
    id: Sought


class Page(Taken):
    before: Before | None = None
    limit: int = Field(PAGE, ge=1, le=LARGEST_PAGE)


class MessagesSought(Page):
    state: StateSought | None = None
    to: Phone | None = None
    since: Moment | None = Field(
        None, description="Sent then or later; by the province's clock where it names no zone. In an address + is %2B."
    )
    until: Moment | None = Field(None, description="Sent before then.")
    reference: Reference | None = None


class Me(BaseModel):
    name: str
    role: Literal["viewer", "sender"]
    agency: str | None = Field(description="Whose messages and notices the key sees and sends; null: the province's.")
    daily: int = Field(description="Messages that it may send on a day, one by one.")
    sent_today: int


class MessageOrder(Taken):
    to: Phone
    text: Text = Field(examples=["Moi ba den lay ket qua tai quay so 4 truoc 17 gio thu Sau."])
    accents: Accents = False
    reference: Reference | None = None


class Message(BaseModel):
    id: str
    to: Masked
    state: StateOfMessage
    channel: str
    text: str
    encoding: Literal["gsm7", "ucs2"]
    segments: int
    created_at: datetime
    submitted_at: datetime | None
    finished_at: datetime | None
    reference: str | None = Field(description="What you called it.")
    error_code: str | None = Field(description="The carrier's or our reason where it was not delivered.")


class Messages(BaseModel):
    messages: list[Message]
    next: str | None = Field(description="The value of before for the next page; null: this was the last.")


class RecipientOrder(Taken):
    phone: Phone
    values: Annotated[dict[str, str], BeforeValidator(few)] = Field(
        {}, description="What the placeholders of the text stand for."
    )


class NoticeOrder(Taken):
    name: str = Field(min_length=1, max_length=LONGEST_NAME, description="By which officials know it.")
    text: str = Field(min_length=1, max_length=LONGEST_TEXT, examples=["Moi ((ten)) den lay ket qua ho so ((ma))."])
    # The first that doesn't fit is enough: what is wrong with all of a hundred thousand fills the memory.
    recipients: list[RecipientOrder] | None = Field(None, min_length=1, fail_fast=True)
    filter: str | None = Field(
        None, min_length=1, max_length=1000, description="Dossiers, in place of recipients.", examples=["status=9"]
    )
    send_at: Moment | None = Field(None, description="Not before; by the province's clock where it names no zone.")
    accents: Accents = False

    @model_validator(mode="after")
    def _one_audience(self) -> Self:
        if (self.recipients is None) == (self.filter is None):
            raise ValueError("expected one of recipients and filter")
        return self


class Reason(Taken):
    reason: str = Field("", max_length=500, description="Why; it is recorded.")


class Seen(Taken):
    seen: str | None = Field(
        None, max_length=64, description="The fingerprint that its preview had: what was changed since is refused."
    )


class Progress(BaseModel):
    queued: int
    submitted: int
    delivered: int
    undelivered: int
    unknown: int
    cancelled: int


class Notice(BaseModel):
    id: str
    name: str
    state: StateOfNotice
    agency: str | None
    author: str
    approver: str | None
    text: str
    accents: bool
    audience: str
    send_at: datetime | None
    created_at: datetime
    recipients: int
    segments: int
    cost: int = Field(description="In đồng.")


class NoticeStatus(Progress, Notice):
    ends_at: datetime | None = Field(
        description="When the last message is expected to go out; null also while its channel is closed."
    )


class Notices(BaseModel):
    notices: list[Notice]
    next: str | None


class RowProblem(BaseModel):
    row: int = Field(description="Which of the recipients, counted from 1; or of the filter's dossiers.")
    column: str
    problem: str


class LeftOut(BaseModel):
    duplicates: int
    opted_out: int
    unreachable: int = Field(description="Landlines, short codes, numbers abroad.")
    errors: int = Field(description="Recipients or dossiers with a fault, of which each may have several.")


class NoticeMade(NoticeStatus):
    left_out: LeftOut
    errors: list[RowProblem] = Field(description="The first hundred.")


class Shown(BaseModel):
    text: str
    encoding: Literal["gsm7", "ucs2"]
    segments: int


class Sample(BaseModel):
    why: str = Field(description="first, longest or random")
    row: int
    phone: Masked
    plain: Shown
    accented: Shown


class Size(BaseModel):
    segments: int
    cost: int


class Budget(BaseModel):
    month: str
    limit: int | None
    used: int
    with_this: int


class Preview(BaseModel):
    id: str
    fingerprint: str = Field(description="Of what is shown here, for submit.")
    recipients: int
    samples: list[Sample]
    plain: Size
    accented: Size
    left_out: LeftOut
    lost: list[str] = Field(description="Characters of the text that go out as question marks, as accents is false.")
    starts_at: datetime
    ends_at: datetime
    budget: Budget


class DossierQuery(Taken):
    language: Language = "vi"


class Dossier(BaseModel):
    """What anybody may know of a dossier."""

    code: str
    status: int = Field(ge=1, le=10, description="The national code.")
    agency: str
    agency_name: str
    step: str
    step_since: datetime | None
    received_at: datetime | None
    due_at: datetime | None
    new_due_at: datetime | None
    finished_at: datetime | None
    returned_at: datetime | None
    text: str = Field(description="What a citizen reads on the look-up page.")


class Period(Taken):
    model_config = ConfigDict(extra="forbid", populate_by_name=False)
    start: Day | None = Field(None, alias="from", description="First day of receipt, inclusive.")
    end: Day | None = Field(None, alias="to", description="Last day of receipt, inclusive.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start and self.end and self.end < self.start:
            raise ValueError("to lies before from")
        return self


class Ratings(BaseModel):
    count: int
    average: float
    scores: list[int] = Field(description="How many of 1, 2, 3, 4 and 5.")


class Report(BaseModel):
    received: int
    resolved: int
    ahead_of_time: int
    ahead_of_time_percent: float
    on_time_percent: float
    open_and_overdue: int
    resolved_level_3: int
    resolved_level_4: int
    agencies: int
    by_status: dict[str, int]
    voices: dict[str, int]
    ratings: Ratings
    followed: int
    opted_out: dict[str, int]
    removed_before: dict[str, date] = Field(
        description="What is not counted of the period, as it has been removed: before which day."
    )
