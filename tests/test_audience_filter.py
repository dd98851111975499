"""A filter over dossiers: read from words, counted and executed in the one-stop database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from smsgw.dossiers import figures, sample, selecting
from smsgw.dossiers.selection import Days, Selection
from smsgw.dossiers.source import COLUMNS, OneStop, OneStopUnavailable, utc
from smsgw.notices.audience.expression import ALL, DAYS, LISTS, FilterError, parse
from smsgw.notices.audience.filtered import FIELDS, FilterAudience
from smsgw.notices.audience.refusals import AudienceRefused
from smsgw.notices.recipients import Recipient, RowError
from smsgw.store.notices import LeftOut
from smsgw.text.phones import msisdn
from tests.world import NOON, TODAY

DOSSIERS = 200
NOON_HERE = NOON.astimezone(ZoneInfo("Asia/Ho_Chi_Minh"))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    made: str = (
        f"sqlite:///{tmp_path}/onestop.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    )
    sample.write(made, DOSSIERS, 1, TODAY)
    return made


def codes(url: str, text: str, within: str | None = None) -> list[str]:
    return [row["code"] for row in selecting.rows(url, parse(text, TODAY), ["code"], NOON_HERE, within)]


def everyone(url: str) -> Sequence[sa.Row[Any]]:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(sa.text(f"SELECT {', '.join(COLUMNS)} FROM dossier_status ORDER BY code")).all()
    engine.dispose()
    return rows


def without_sms(said: Iterable[object]) -> set[tuple[str, str]]:
    """Of what is said of dossiers, the codes and numbers of those whose phone gets no SMS."""
    return {(one.dossier, one.number) for one in said if isinstance(one, LeftOut)}


def day(value: object) -> date:
    """The day here of a time of the view."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return (moment + timedelta(hours=7)).date()


def test_a_filter_selects_what_it_says(url: str) -> None:
    rows = everyone(url)
    one = rows[0].agency_code
    province = one.split(".")[0]
    border = day(rows[50].due_at)
    expected = {
        "all": [*rows],
        "status=4,5": [row for row in rows if row.status in (4, 5)],
        f"agency={one}": [row for row in rows if row.agency_code == one],
        f"agency={province}": [],
        f"agency={province}*": [*rows],
        f"procedure={rows[0].procedure_code} level=4": [
            row for row in rows if row.procedure_code == rows[0].procedure_code and row.service_level == 4
        ],
        f"due<{border}": [row for row in rows if day(row.due_at) < border],
        f"due<={border} due>={border - timedelta(days=3)}": [
            row for row in rows if border - timedelta(days=3) <= day(row.due_at) <= border
        ],
        f"due={border}": [row for row in rows if day(row.due_at) == border],
        "finished>today-30": [row for row in rows if row.finished_at and day(row.finished_at) > date(2018, 7, 16)],
        "received<=today": [row for row in rows if day(row.received_at) <= TODAY],
    }
    for text, found in expected.items():
        assert codes(url, text) == [row.code for row in found], text
        assert selecting.count(url, parse(text, TODAY), NOON_HERE) == len(found), text
    assert len(expected[f"due<{border}"]) > 0


def test_overdue_and_not_overdue_are_all_there_is(url: str) -> None:
    late, others = codes(url, "overdue"), codes(url, "!overdue")
    now = NOON.replace(tzinfo=None)
    assert late == [
        row.code
        for row in everyone(url)
        if row.status in (2, 4) and not row.finished_at and datetime.fromisoformat(str(row.due_at)) < now
    ]
    assert late
    assert sorted(late + others) == codes(url, "all")


def test_an_official_reaches_only_the_dossiers_of_the_own_agency(url: str) -> None:
    rows = everyone(url)
    agency = rows[0].agency_code
    own = [row.code for row in rows if row.agency_code == agency]
    assert codes(url, " ALL ", within=agency) == own
    assert codes(url, f"agency={rows[0].agency_code.split('.')[0]}*", within=agency) == own
    agencies, procedures = selecting.named(url, agency)
    assert set(agencies) == {row.agency_code for row in rows if row.code in own}
    assert procedures.keys() <= selecting.named(url)[1].keys()


def test_what_a_filter_names_by_its_code_is_called_by_its_name(url: str) -> None:
    row = everyone(url)[0]
    chosen = parse(f"agency={row.agency_code}*,H99 procedure={row.procedure_code}", TODAY)
    assert selecting.names(url, chosen) == {row.agency_code: row.agency_name, row.procedure_code: row.procedure_name}


def test_each_dossier_becomes_a_recipient_with_what_the_text_names(url: str) -> None:
    text = "((Mã hồ sơ)) ((họ tên)) ((due)) ((phone))"
    read = FilterAudience(url, parse("status=4", TODAY), text, NOON, language="en")
    found = [one for one in read if isinstance(one, Recipient)]
    rows = {row.code: row for row in everyone(url)}
    assert found
    assert read.rows == len(codes(url, "status=4"))
    for one in found:
        row = rows[one.values["ma ho so"]]
        assert one.values["ho ten"] == row.applicant_name
        assert one.values["due"] == day(row.due_at).strftime("%d/%m/%Y")
        assert one.values["phone"] == f"0{one.phone[2:]}"
        assert one.dossier == row.code


def test_a_dossier_without_the_number_or_a_value_is_named(url: str) -> None:
    rows = [row for row in everyone(url) if row.finished_at is None and msisdn(row.applicant_phone)]
    before = without_sms(FilterAudience(url, Selection(), "", NOON))
    engine = sa.create_engine(url)
    changes = {"phone": ("không có", rows[0].code), "landline": ("02963841234", rows[1].code)}
    with engine.begin() as connection:
        for phone, code in changes.values():
            connection.execute(
                sa.text("UPDATE dossier SET applicant_phone = :phone WHERE code = :code"),
                {"phone": phone, "code": code},
            )
    engine.dispose()
    read = FilterAudience(url, Selection(), "((finished))", NOON, language="en")
    said = [*read]
    found = [one for one in said if isinstance(one, RowError)]
    assert (rows[0].code, "phone") in [(one.problem.split(":")[0], one.column) for one in found]
    assert (rows[2].code, "finished") in [(one.problem.split(":")[0], one.column) for one in found]
    assert without_sms(said) - before == {(rows[1].code, "02963841234")}


def test_a_placeholder_that_dossiers_know_nothing_of_is_refused_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(AudienceRefused) as refused:
        list(FilterAudience(f"sqlite:///{tmp_path}/none.db", Selection(), "((tuổi))", NOON))
    assert "tuổi" in refused.value.said("vi")
    assert all(names[1] in refused.value.said("vi") for names in FIELDS.values())


def test_an_agency_is_there_if_a_dossier_of_it_is_to_the_letter(url: str) -> None:
    there = sorted({row.agency_code for row in everyone(url)})
    assert selecting.agency_codes(url) == there
    assert all(selecting.has_agency(url, code) for code in there)
    assert not selecting.has_agency(url, there[0].lower())
    assert not selecting.has_agency(url, there[0] + ".99")


def test_a_database_that_is_away_is_said_so(tmp_path: Path) -> None:
    for work in (
        lambda url: selecting.count(url, Selection(), NOON),
        lambda url: list(FilterAudience(url, Selection(), "x", NOON)),
        lambda url: selecting.named(url),
        lambda url: selecting.has_agency(url, "H01.21"),
        lambda url: selecting.agency_codes(url),
    ):
        with pytest.raises(OneStopUnavailable):
            work(f"sqlite:///{tmp_path}/none.db")


@pytest.mark.parametrize("zone", [ZoneInfo("Asia/Ho_Chi_Minh"), ZoneInfo("America/Lima")])
def test_days_are_those_of_the_gateways_time_zone_wherever_that_is(url: str, zone: ZoneInfo) -> None:
    now, rows = NOON.astimezone(zone), everyone(url)
    times = [utc(row.received_at) for row in rows]
    days = [time.astimezone(zone).date() for time in times if time]
    chosen = Selection(received=Days(first=days[0], last=days[0]))
    assert selecting.count(url, chosen, now) == days.count(days[0])
    assert figures.figures(url, zone, days[0], days[0]).received == days.count(days[0])
    said = [
        one.values["received"] for one in FilterAudience(url, chosen, "((received))", now) if isinstance(one, Recipient)
    ]
    assert set(said) == {f"{days[0]:%d/%m/%Y}"}


def test_a_time_that_makes_no_sense_is_a_missing_value(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/onestop.db"
    sample.write(url, 1, 1, TODAY)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE dossier SET due_at = 'soon'")
    engine.dispose()
    (found,) = FilterAudience(url, Selection(), "((due))", NOON, language="en")
    assert isinstance(found, RowError)
    assert OneStop(url).find(["none"]) == {}


def test_what_no_database_keeps_goes_no_further_than_the_filter(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/onestop.db"
    sample.write(url, 2, 1, TODAY)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE dossier SET applicant_name = 'A' || char(0)")
        first = "code = (SELECT min(code) FROM dossier)"
        connection.exec_driver_sql(f"UPDATE dossier SET applicant_phone = '09' || char(0) WHERE {first}")
        connection.exec_driver_sql(f"UPDATE dossier SET applicant_phone = '0912345678' WHERE NOT {first}")
    engine.dispose()
    wrong, right = FilterAudience(url, Selection(), "((name))", NOON, language="en")
    assert isinstance(wrong, RowError)
    assert wrong.problem.endswith("this is no phone number: 09\ufffd")
    assert isinstance(right, Recipient)
    assert right.values == {"name": "A\ufffd"}


@pytest.mark.parametrize(
    ("text", "place", "named"),
    [
        ("stauts=5", 1, "agency, procedure, status, level, received, due, finished, overdue"),
        ("status=5 level=1", 10, "2, 3 or 4"),
        ("status=11", 1, "1 to 10"),
        ("status=5,", 1, "1 to 10"),
        ("status", 1, "status=5,6"),
        ("status=", 1, "status=5,6"),
        ("status<5", 1, "only ="),
        ("status=5 status=6", 10, "commas"),
        ("overdue=1", 1, "no value"),
        ("overdue !overdue", 9, "already"),
        ("due<2018-02-30", 1, "no such day"),
        ("due<01/09/2018", 1, "2018-09-01"),
        ("due<9999-12-31", 1, "no dossier"),
        ("due<2018-09-01 due>2018-09-01", 16, "no day"),
        ("due==2018-09-01", 1, "2018-09-01"),
        ("agency=H01.12;x", 1, "codes"),
        ("a b", 1, "no such field"),
        ("(status=5)", 1, "expected a term"),
        ("all status=5", 1, "stands alone"),
        ("", 1, "all for every dossier"),
        (" \t ", 1, "all for every dossier"),
    ],
)
def test_a_filter_that_is_wrong_says_what_and_where(text: str, place: int, named: str) -> None:
    with pytest.raises(FilterError) as wrong:
        parse(text, TODAY)
    assert wrong.value.place == place
    assert named in str(wrong.value)


def written(selection: Selection) -> str:
    """The filter of a selection, as somebody would write it."""
    terms = [
        f"{name}={','.join(map(str, values))}"
        for name, attribute in LISTS.items()
        if (values := getattr(selection, attribute))
    ]
    for name in DAYS:
        days: Days = getattr(selection, name)
        if days.first is not None and days.first == days.last:
            terms.append(f"{name}={days.first}")
            continue
        terms += [f"{name}>={days.first}"] if days.first is not None else []
        terms += [f"{name}<={days.last}"] if days.last is not None else []
    terms += [] if selection.overdue is None else ["overdue" if selection.overdue else "!overdue"]
    return " ".join(terms) or ALL


def test_bounds_of_the_same_day_narrow_each_other() -> None:
    assert parse("due>=2018-08-01 due<2018-09-01 due<=2018-08-20", TODAY).due == Days(
        date(2018, 8, 1), date(2018, 8, 20)
    )
    assert parse("DUE<TODAY+7", TODAY).due == Days(None, date(2018, 8, 21))


days = st.dates(date(2000, 1, 1), date(2100, 1, 1))
spans = st.builds(
    lambda one, other: Days(*sorted((one, other))) if one and other else Days(one, other),
    st.none() | days,
    st.none() | days,
)
some_codes = st.lists(st.from_regex(r"[A-Z]\d\d(\.\d\d){0,2}\*?", fullmatch=True), unique=True, max_size=3).map(tuple)


@given(
    st.builds(
        Selection,
        agencies=some_codes,
        procedures=some_codes,
        statuses=st.lists(st.integers(1, 10), unique=True, max_size=3).map(tuple),
        levels=st.lists(st.integers(2, 4), unique=True, max_size=3).map(tuple),
        received=spans,
        due=spans,
        finished=spans,
        overdue=st.none() | st.booleans(),
    )
)
def test_whatever_a_selection_asks_for_can_be_written_as_a_filter(selection: Selection) -> None:
    assert parse(written(selection), TODAY) == selection


@given(st.text(alphabet="agency=sdu<>!,-+0129 today\tă*.", max_size=40))
def test_any_text_is_a_filter_or_says_what_is_wrong(text: str) -> None:
    try:
        selection = parse(text, TODAY)
    except FilterError:
        return
    assert parse(written(selection), TODAY) == selection


def test_nothing_of_a_filter_reaches_the_database_as_sql(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/onestop.db"
    sample.write(url, 5, 1, TODAY)
    for agency in ("x' OR '1'='1", "%", "H__.", "H01.31%*"):
        assert selecting.count(url, Selection(agencies=(agency,)), datetime.now(UTC)) == 0


def test_what_a_text_may_name_of_a_dossier_is_written_down() -> None:
    paper = (Path(__file__).parent.parent / "docs/audiences.md").read_text(encoding="utf-8")
    assert not [name for names in FIELDS.values() for name in names if f"(({name}))" not in paper]
