"""What other systems send to /api, as a body: what is too much of it is refused before anything is made of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smsgw.web.api.kinds import MOST_FIELDS
from tests.systems import ORDER, System, sent, system
from tests.world import World, world

MOST_ROWS = 3


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[System]:
    """A system whose notices go to three people at most."""
    with world(tmp_path, more=f"[notices]\nmost_rows = {MOST_ROWS}") as there:
        yield system(there)


def test_a_notice_to_too_many_is_refused_by_their_number_and_not_by_what_each_lacks(narrow: System) -> None:
    narrow.draft(MOST_ROWS)
    refused = narrow.post("/notices", {"recipients": [1] * (MOST_ROWS + 1)}, 422)
    assert refused["reason"] == "rows"
    assert refused["errors"] == [{"field": "recipients", "problem": "more than 3 recipients; send fewer at a time"}]


@pytest.mark.parametrize("part", ["{}", "[]", '{"a": {}}', '"a", {"b": "c"}', r'"\\", {}', r'"\"{", {}'])
def test_a_body_of_too_many_parts_is_refused_before_it_is_read(narrow: System, part: str) -> None:
    body = '{"recipients": [' + ", ".join([part] * 9) + "]}"
    refused = narrow.call("POST", "/notices", 413, data=body, content_type="application/json")
    assert refused["reason"] == "too_large"


def test_brackets_in_a_text_are_no_parts(narrow: System) -> None:
    people = [{"phone": "0912000001", "values": {"tên": r'[[[{{{"\{{{'}}] * MOST_ROWS
    assert narrow.draft(recipients=people)["recipients"] == 1


def test_of_a_text_that_never_ends_nothing_is_made(narrow: System) -> None:
    for body in ('{"a": "' + '\\"[' * 50_000, "[" * 9 + '"' + "\\" * 50_001):
        assert narrow.raw("POST", "/notices", data=body, content_type="application/json").status_code in (400, 413)


def test_an_object_of_too_many_fields_is_one_thing_wrong_and_not_one_for_each(narrow: System) -> None:
    fields = dict.fromkeys(map(str, range(MOST_FIELDS + 1)), 1)
    person = {"phone": "0912000001"}
    orders: list[tuple[str, dict[str, Any], str]] = [
        ("/messages", ORDER | fields, "body"),
        ("/notices", {"name": "a", "text": "b", **fields}, "body"),
        ("/notices", {"name": "a", "text": "b", "recipients": [person | fields]}, "recipients.0"),
        ("/notices", {"name": "a", "text": "b", "recipients": [person | {"values": fields}]}, "recipients.0.values"),
    ]
    for path, order, field in orders:
        refused = narrow.post(path, order, 422)
        assert refused["errors"] == [{"field": field, "problem": f"more than {MOST_FIELDS} fields"}]
    assert sent(narrow.world) == 0


def test_a_body_in_another_encoding_than_utf_8_is_refused(here: World) -> None:
    for encoding in ("utf-16", "utf-16-le", "utf-32"):
        body = json.dumps(ORDER).encode(encoding)
        system(here, encoding).call("POST", "/messages", 400, data=body, content_type="application/json")
    assert sent(here) == 0
