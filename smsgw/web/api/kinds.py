"""The kinds of field that models of /api have, and what is said of one that is wrong."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, model_validator

from smsgw.notices.drafting import YEARS
from smsgw.notices.life import State as NoticeState
from smsgw.notices.office import SEEN
from smsgw.store.states import State as MessageState
from smsgw.text.alphabet import storable

MOST_FIELDS = 100  # of one object, as a table's columns: what is wrong with each of very many would fill the memory

Phone = Annotated[
    str, Field(max_length=40, description="A mobile number, however it is written.", examples=["0912 345 678"])
]
Text = Annotated[str, Field(min_length=1, max_length=5000)]
# With a NUL in it PostgreSQL would not look for it, and so it is found nowhere.
Sought = Annotated[str, AfterValidator(storable)]
Reference = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        description="What you call it, to find it by. It goes to nobody; keep names and numbers of people out of it.",
        examples=["appointment-4711"],
    ),
    AfterValidator(storable),
]
Masked = Annotated[str, Field(description="The number, masked.", examples=["84912***678"])]
Accents = Annotated[
    StrictBool,
    Field(description="Send it with its Vietnamese accents. Without them more fits into a segment, and it costs less."),
]


def _written_out(value: object) -> object:
    # The library would take a number for the seconds since 1970.
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        raise ValueError("expected a day or time such as 2026-11-23 or 2026-11-23T08:00")
    return value


def _in_the_calendar(day: date) -> date:
    if day.year not in YEARS:
        raise ValueError(f"expected a day of the years {YEARS[0]} to {YEARS[-1]}")
    return day


def _an_id(next_one: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", next_one):
        raise ValueError("expected what the page before this one had as next")
    return next_one


Before = Annotated[str, Field(description="What the page before this one had as next."), AfterValidator(_an_id)]
Day = Annotated[date, BeforeValidator(_written_out), AfterValidator(_in_the_calendar)]
Moment = Annotated[datetime, BeforeValidator(_written_out), AfterValidator(_in_the_calendar)]
# Two enumerations of the same name would be one in the description.
StateOfMessage = Annotated[
    str,
    Field(
        description="queued and held: not sent yet; sending: a carrier is being given it; submitted: the carrier has"
        " it; unknown: the carrier may have it; the others are final.",
        json_schema_extra={"enum": [*MessageState]},
    ),
]


def _that_there_is(state: str) -> str:
    if state not in {*MessageState}:
        raise ValueError(f"expected one of {', '.join(MessageState)}")
    return state


StateSought = Annotated[StateOfMessage, AfterValidator(_that_there_is)]
StateOfNotice = Annotated[
    str, Field(json_schema_extra={"enum": [state.value for state in NoticeState if state in SEEN]})
]


def few(fields: object) -> object:
    """Itself, unless it is an object with more fields than a message may have. Raises ValueError."""
    if isinstance(fields, dict) and len(fields) > MOST_FIELDS:
        raise ValueError(f"more than {MOST_FIELDS} fields")
    return fields


class Taken(BaseModel):
    """What comes in: a field that we don't know is refused, not passed over."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _has_few_fields(cls, given: object) -> object:
        return few(given)
