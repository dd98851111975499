"""A wording names the carrier's template and its parameters: by it texts go out, and what is by none is not sent."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from importlib import resources
from pathlib import Path

import pytest
import sqlalchemy as sa

from smsgw.answers import registering
from smsgw.checkup import examine
from smsgw.failure import ExpectedFailure
from smsgw.gateway import Gateway
from smsgw.notices.drafting import Draft
from smsgw.notices.office import Notices
from smsgw.notices.refusals import NoticeRefused
from smsgw.officials.steering import Steering
from smsgw.store.history import message
from smsgw.store.officials import Official
from tests.agency import Agency
from tests.bulletin import drafted, official
from tests.conformance.double import Double, response
from tests.test_reminders import IN_PROGRESS, begun, minutes
from tests.world import World, settings, world

CARRIERS = """
[channels.brand]
provider = "vnpt"
url = "{url}/apiservice"
api_user = "user-1"
api_password = "pass-9931"
username = "angiang"
label = "77"
contract = "5"
agent = "12"
sender = "AnGiang"
tps = 100
time_limit = 5
[answers]
wording = "{wording}"
[reminders]
rules = "{rules}"
[[routes]]
channels = {route}
"""
REGISTERED = """
[templates.brand.vi]
in_progress = { template = "1024", parameters = ["code", "agency", "due"] }
phone = { template = 1025, parameters = ["example"] }
"""
RULE = """
[ready_counter.templates.brand]
vi = { template = "2001", parameters = ["code", "agency"] }
"""
PHONE = "84912345678"


class Brand:
    """VNPT's double, and what it was asked to send."""

    def __init__(self, double: Double) -> None:
        self._double = double
        self.url = double.url

    def sent(self) -> list[tuple[str, list[str]]]:
        """The template of each message and what its parameters held."""
        asked = [json.loads(heard.body)["RQST"] for heard in self._double.heard]
        return [(each["TEMPLATEID"], [field["CONTENT"] for field in each["PARAMS"]]) for each in asked]


@pytest.fixture
def brand() -> Iterator[Brand]:
    with Double(response(200, b'{"RPLY":{"ERROR":"0"}}')) as double:
        yield Brand(double)


def shipped() -> str:
    return (resources.files("smsgw.answers") / "wording.toml").read_text(encoding="utf-8")


def files(folder: Path, wording: str = REGISTERED, rules: str = RULE) -> dict[str, Path]:
    """A copy of the shipped wording with more in it, and a file of rules."""
    made = {"wording": folder / "wording.toml", "rules": folder / "rules.toml"}
    made["wording"].write_text(shipped() + wording, encoding="utf-8")
    made["rules"].write_text(rules, encoding="utf-8")
    return made


@contextmanager
def place(folder: Path, brand: Brand, route: list[str], **texts: str) -> Iterator[World]:
    with world(folder, more=CARRIERS.format(url=brand.url, route=route, **files(folder, **texts))) as made:
        yield made


def paused(made: World) -> None:
    """The channel that citizens write to is closed, so that answers take the other one."""
    Steering(made.gateway.database, made.clock).pause("sms", "trying", "test")
    made.gateway.roads.look(made.gateway.database)


def ended(made: World) -> list[tuple[str, str, str | None]]:
    """Of each message its channel, state, and code of error."""
    with made.gateway.database.reading() as connection:
        rows = connection.execute(sa.select(message.c.channel, message.c.state, message.c.error_code))
        return [(row.channel, row.state, row.error_code) for row in rows]


def test_an_answer_goes_out_by_the_template_that_its_wording_names(tmp_path: Path, brand: Brand) -> None:
    with place(tmp_path, brand, ["sms", "brand"]) as made:
        agency = Agency(tmp_path)
        (code,) = agency.codes("status = 4")
        due_at = made.clock() + timedelta(days=5)
        agency.change(code, made.clock(), due_at=due_at, new_due_at=None, step_name="Xem xét")
        made.text(PHONE, "có dấu")
        paused(made)
        made.text(PHONE, f"tra cuu {code}")  # this one wants accents, and the template has none
        made.text("84912345679", f"tra cuu {code}")
        made.text("84912345679", "0912345678")
        assert {state for channel, state, _ in ended(made) if channel == "brand"} == {"submitted"}
    (template, values), *others = brand.sent()
    assert (template, values[0], values[2]) == ("1024", code, "20/08/2018")
    assert values[1].isascii()
    assert others == [(template, values), ("1025", ["H01.12-180802-0012"])]


def test_a_text_by_no_template_is_refused_before_it_is_sent(tmp_path: Path, brand: Brand) -> None:
    with place(tmp_path, brand, ["sms", "brand"]) as made:
        paused(made)
        made.text(PHONE, "TC TB")
        assert ended(made) == [("brand", "rejected", "no_template")]
    assert brand.sent() == []


def test_a_text_by_no_template_goes_by_the_channel_behind_if_there_is_one(tmp_path: Path, brand: Brand) -> None:
    with place(tmp_path, brand, ["brand", "sms"]) as made:
        agency = begun(made)
        (code,) = agency.codes(IN_PROGRESS)
        agency.change(code, made.clock(), status=6, fee_due=70_000, fee_paid_at=None)
        minutes(made, 2)
        assert ended(made) == [("sms", "delivered", None)]
    assert brand.sent() == []


def test_a_reminder_goes_out_by_the_template_that_its_rule_names(tmp_path: Path, brand: Brand) -> None:
    with place(tmp_path, brand, ["brand"]) as made:
        agency = begun(made)
        (code,) = agency.codes(IN_PROGRESS)
        agency.finish(code, made.clock())
        minutes(made, 2)
        [(template, [first, second])] = brand.sent()
        assert (template, first) == ("2001", code)
        with made.gateway.database.reading() as connection:
            [text] = connection.scalars(sa.select(message.c.text))
        assert f"Moi den nhan tai {second}" in text


GOOD = '{ template = "1", parameters = ["example"] }'
OF_BRAND = "[templates.brand.vi]\n"
WRONG_WORDING = [
    (f"[templates.other.vi]\nphone = {GOOD}", "phone: other is none of the channels; expected one of brand"),
    (f"[templates.sms.vi]\nphone = {GOOD}", "phone: sms takes any text; expected one of brand"),
    (f"{OF_BRAND}phoen = {GOOD}", "templates.brand.vi.phoen: there is no such text"),
    (f"[templates.brand.fr]\nphone = {GOOD}", "templates.brand.fr.phone: there is no such text"),
    (f'{OF_BRAND}phone = "1024"', 'templates.brand.vi.phone: expected { template = "1024", parameters'),
    ("[templates]\nbrand = 7", "templates.brand: expected tables such as [templates.CHANNEL.vi]"),
    (
        f'{OF_BRAND}received = {{ template = 1, parameters = ["code"] }}',
        'received: parameters: expected ["code", "agency", "due"], which is what the text names outside of brackets',
    ),
    (
        f'{OF_BRAND}received = {{ template = 1, parameters = {{ ngay = "received" }} }}',
        "received: parameters.ngay: expected one of code, agency, due, which the text always names",
    ),
    (f"{OF_BRAND}phone = {GOOD}\nincomplete = {GOOD}", "incomplete: template 1 is that of another text, see"),
]
WRONG_RULES = [
    (
        "[received.templates.brand]\nvi = { template = 1, parameters = [] }",
        'rules.toml: received.templates.brand.vi: parameters: expected ["code", "agency"]',
    ),
    (
        '[received.templates.other]\nvi = { template = 1, parameters = ["code", "agency"] }',
        "rules.toml: received.templates.other.vi: other is none of the channels",
    ),
    ("[received.templates.brand]\nfr = { template = 1 }", "received.templates.brand.fr"),
]


@pytest.mark.parametrize(
    ("wording", "rules", "said"),
    [*((wording, "", said) for wording, said in WRONG_WORDING), *(("", rules, said) for rules, said in WRONG_RULES)],
)
def test_what_is_wrong_is_said_at_start_and_by_the_doctor(tmp_path: Path, wording: str, rules: str, said: str) -> None:
    texts = files(tmp_path, wording, rules)
    given = settings(tmp_path, more=CARRIERS.format(url="http://127.0.0.1:9", route=["sms"], **texts))
    with pytest.raises(ExpectedFailure) as refused:
        Gateway(given)
    assert said in str(refused.value)
    assert str(tmp_path) in str(refused.value)
    [finding] = examine(given)
    assert (finding.what in ("wording", "reminder rules"), finding.ok) == (True, False)
    assert said in finding.detail


def test_the_doctor_says_which_texts_have_no_template(tmp_path: Path, brand: Brand) -> None:
    with place(tmp_path, brand, ["sms", "brand"]) as made:
        found = {finding.what: finding for finding in examine(made.gateway.settings)}
    finding = found["templates of brand"]
    assert finding.ok
    assert "texts have none there (vi.registered, vi.received_no_date, " in finding.detail
    assert "vi.phone" not in finding.detail


@contextmanager
def writing(folder: Path, brand: Brand, route: list[str]) -> Iterator[tuple[Notices, Official]]:
    """The notices of a gateway by these channels, of which `brand` takes one text, and somebody who writes them."""
    listed = '[channels.brand.templates]\n77 = "Kinh moi {ten} den nhan ket qua tai bo phan mot cua."\n'
    with world(folder, more=CARRIERS.format(url=brand.url, route=route, **files(folder)) + listed) as made:
        with made.gateway.database.writing("test") as connection:
            who = official(connection, "an", "sender")
        yield made.gateway.notices, who


@pytest.mark.parametrize(("route", "wrong"), [(["brand"], 3), (["brand", "sms"], 0)])
def test_a_notice_by_no_template_is_refused_when_it_is_written(
    tmp_path: Path, brand: Brand, route: list[str], wrong: int
) -> None:
    with writing(tmp_path, brand, route) as (notices, who):
        assert drafted(notices, who).notice.recipients == 3
        other = drafted(notices, who, text="Kinh moi ((tên)) den ngay.")
        assert other.notice.recipients == 3 - wrong
        assert ["takes only texts registered with it" in error.problem for error in other.errors] == [True] * wrong


@pytest.mark.parametrize(("route", "refused"), [(["brand"], True), (["brand", "sms"], False)])
def test_a_notice_is_not_edited_into_one_by_no_template(
    tmp_path: Path, brand: Brand, route: list[str], refused: bool
) -> None:
    with writing(tmp_path, brand, route) as (notices, who):
        there = drafted(notices, who).notice
        other = Draft(there.name, "Kinh moi ((tên)) den ngay.", there.audience)
        with pytest.raises(NoticeRefused, match="brand takes only texts registered") if refused else nullcontext():
            notices.edit(there.id, who, other)


def test_the_examples_of_the_papers_are_right() -> None:
    docs = Path(__file__).parent.parent / "docs"
    paper = (docs / "wording.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```toml\n(\[templates.*?)```", paper, re.DOTALL)
    texts = {("vi", key): text for key, text in tomllib.loads(shipped())["vi"].items() if isinstance(text, str)}
    tables = tomllib.loads(example)["templates"]
    assert [*registering.table_faults(tables, texts)] == []
    (_, first), _ = registering.named("", tables, texts)
    assert re.sub(r"\{\w+\}", "{P}", first.bare) in " ".join(paper.split())
    rule = re.findall(
        r"```toml\n(\[\w+\.templates.*?)```", (docs / "reminders.md").read_text(encoding="utf-8"), re.DOTALL
    )
    rules = tomllib.loads((resources.files("smsgw.reminders") / "rules.toml").read_text(encoding="utf-8"))
    for name, given in tomllib.loads(rule[0]).items():
        assert [*registering.faults(given["templates"]["vnpt"]["vi"], rules[name]["vi"])] == []
