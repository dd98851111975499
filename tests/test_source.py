"""The one-stop database belongs to somebody else: it is only read, and never waited for too long."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from smsgw.dossiers import sample, selecting
from smsgw.dossiers.calls import MOST_GIVEN_UP
from smsgw.dossiers.candidates import Candidates
from smsgw.dossiers.dossier import Dossier
from smsgw.dossiers.source import (
    _FIND,
    COLUMNS,
    QUIET,
    OneStop,
    OneStopUnavailable,
    Outage,
    _rows,
    dossier_of,
    read_only_engine,
    reason,
)
from smsgw.silence import SILENCE
from tests import postgres
from tests.chaos import until
from tests.silence import Line, greeter, line_to


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    made: str = (
        f"sqlite:///{tmp_path}/onestop.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    )
    sample.write(made, 100, 1, date(2018, 8, 15))
    return made


@pytest.fixture
def onestop(url: str) -> Iterator[OneStop]:
    source = OneStop(url, timeout=5)
    yield source
    source.close()


def codes(url: str) -> list[str]:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = list(connection.scalars(sa.text("SELECT code FROM dossier")))
    engine.dispose()
    return found


def test_dossiers_are_found_by_their_codes_to_the_letter(url: str, onestop: OneStop) -> None:
    asked = codes(url)
    found = onestop.find([*asked, "H01.99-180802-0012", asked[0].lower()])
    assert set(found) == set(asked)
    assert all(dossier.received_at and dossier.received_at.tzinfo for dossier in found.values())
    assert onestop.find([]) == {}
    assert len(onestop.find([f"none-{number}" for number in range(2500)] + asked[:1])) == 1


def test_it_can_not_be_written(url: str) -> None:
    engine = read_only_engine(url)
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError):
        connection.execute(sa.text("UPDATE dossier SET status = 10"))
    engine.dispose()


def test_a_row_that_makes_no_sense_is_left_out_and_the_others_answer(
    url: str, onestop: OneStop, caplog: pytest.LogCaptureFixture
) -> None:
    broken, *others = codes(url)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE dossier SET status = 11 WHERE code = :code"), {"code": broken})
    engine.dispose()
    with caplog.at_level(logging.WARNING):
        assert set(onestop.find([broken, *others])) == set(others)
    assert broken in caplog.text
    assert onestop.nonsense(1000) == (100, [f"{broken}: status 11; expected a number from 1 to 10"])


def test_a_time_that_is_none_is_told_as_it_stands(url: str, onestop: OneStop, caplog: pytest.LogCaptureFixture) -> None:
    (code, *_) = codes(url)
    row: list[Any] = list(onestop.find([code])[code])
    row[COLUMNS.index("due_at")] = "02/08/2018"
    with caplog.at_level(logging.WARNING):
        assert dossier_of(row) is None
    assert f"{code}: '02/08/2018' is no time; expected one such as 2018-08-02 08:30:00" in caplog.text


def test_texts_that_are_missing_and_times_of_no_calendar_are_answered_without(url: str, onestop: OneStop) -> None:
    (code, *_) = codes(url)
    row: list[Any] = list(onestop.find([code])[code])
    for name in ("agency_name", "applicant_name", "step_name"):
        row[COLUMNS.index(name)] = None
    row[COLUMNS.index("due_at")] = "9999-12-31 23:59:59"  # how some programs write that there is none
    row[COLUMNS.index("received_at")] = "0001-01-01 00:00:00"
    dossier = dossier_of(row)
    assert dossier is not None
    assert (dossier.agency_name, dossier.step_name) == (dossier.agency_code, "")
    assert (dossier.due_at, dossier.received_at) == (None, None)


def test_a_number_in_place_of_a_text_is_read_and_bytes_make_no_sense(url: str, onestop: OneStop) -> None:
    (code, *_) = codes(url)
    row: list[Any] = list(onestop.find([code])[code])
    row[COLUMNS.index("applicant_phone")] = 84912345678  # of a view over a column of numbers
    dossier = dossier_of(row)
    assert dossier is not None
    assert dossier.owner == "84912345678"
    for name in ("applicant_phone", "agency_name", "code"):
        assert (
            dossier_of([b"0912345678" if column == name else row[place] for place, column in enumerate(COLUMNS)])
            is None
        )


def test_texts_of_a_fixed_width_are_read_without_their_blanks(url: str, onestop: OneStop) -> None:
    (code, *_) = codes(url)
    before = onestop.find([code])[code]
    row = [f"{value}   " if isinstance(value, str) else value for value in before]
    assert dossier_of(row) == before
    row[COLUMNS.index("agency_name")] = row[COLUMNS.index("step_name")] = " "
    dossier = dossier_of(row)
    assert dossier is not None
    assert (dossier.agency_name, dossier.step_name) == (dossier.agency_code, "")


@pytest.mark.parametrize(
    ("new", "counts"), [("2018-08-20 10:00:00", False), ("2018-08-20 09:59:00", False), ("2018-08-20 10:01:00", True)]
)
def test_a_new_date_that_is_no_later_counts_for_none(url: str, onestop: OneStop, new: str, counts: bool) -> None:
    (code, *_) = codes(url)
    row: list[Any] = list(onestop.find([code])[code])
    row[COLUMNS.index("due_at")], row[COLUMNS.index("new_due_at")] = "2018-08-20 10:00:00", new
    dossier = dossier_of(row)
    assert dossier is not None
    assert (dossier.new_due_at is not None) == counts


def test_a_view_that_lacks_a_column_is_named_by_the_check(url: str, onestop: OneStop) -> None:
    onestop.check()
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP VIEW dossier_status"))
        connection.execute(sa.text("CREATE VIEW dossier_status AS SELECT code, status FROM dossier"))
    engine.dispose()
    with pytest.raises(OneStopUnavailable, match="procedure_code"):
        onestop.check()


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    source = OneStop(f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(OneStopUnavailable, match="unable to open"):
        source.find(["H01.12-180802-0012"])
    source.close()
    assert not (tmp_path / "none.db").exists()


class SetSeconds:
    """A clock in seconds that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_database_that_never_answers_is_given_up_and_then_refused_at_once() -> None:
    with greeter() as url:
        source = OneStop(url, timeout=0.02, pool_size=2)
        source.outage.clock = clock = SetSeconds()
        for _ in range(2 + MOST_GIVEN_UP):
            with pytest.raises(OneStopUnavailable, match="did not answer within"):
                source.find(["H01.12-180802-0012"])
            clock.now += QUIET
        with pytest.raises(OneStopUnavailable, match="every connection"):
            source.find(["H01.12-180802-0012"])
        source.close()


@pytest.fixture
def line(postgres_server: postgres.Server) -> Iterator[Line]:
    with line_to(postgres_server.socket_file) as made:
        yield made


@pytest.fixture
def by_line(postgres_url: str, line: Line) -> str:
    """A one-stop database that is reached by the line."""
    sample.write(postgres_url, 5, 1, date(2018, 8, 15))
    return line.url(postgres_url)


@contextmanager
def at_the_same_time(url: str, source: OneStop, count: int) -> Iterator[list[Callable[[], dict[str, Dossier]]]]:
    """So many look-ups, each of which is there and waits until the block's end."""
    code, *_ = codes(url)
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'dossier'::regclass")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("LOCK TABLE dossier"))
        look_ups = [source.begin([code]) for _ in range(count)]
        until(lambda: connection.scalar(waiting) == count, "all look-ups to wait")
        yield look_ups
    engine.dispose()


@pytest.mark.long
@pytest.mark.parametrize("hanging", [1, 3])
def test_a_line_that_takes_all_and_says_nothing_more_is_left_for_another(
    postgres_url: str, by_line: str, line: Line, hanging: int
) -> None:
    source = OneStop(by_line, timeout=2, pool_size=3)
    source.outage.clock = clock = SetSeconds()
    with at_the_same_time(postgres_url, source, 3) as look_ups:
        pass
    assert all(look_up() for look_up in look_ups)
    with at_the_same_time(postgres_url, source, hanging) as look_ups:
        line.hush()
    for look_up in look_ups:
        with pytest.raises(OneStopUnavailable, match="did not answer within"):
            look_up()
    code, *_ = codes(postgres_url)
    for _ in range(3):
        clock.now += QUIET
        assert source.find([code])
    source.close()


def test_a_search_is_given_up_when_its_line_falls_silent(
    by_line: str, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsgw.dossiers.candidates.TIME_LIMIT", 1.0)
    candidates, known = Candidates(by_line), frozenset(codes(by_line))
    assert candidates.known_among(known) == known
    line.hush()
    with pytest.raises(OneStopUnavailable, match="did not answer within"):
        candidates.known_among(known)
    assert candidates.known_among(known) == known
    candidates.close()


def test_what_officials_ask_for_is_given_up_when_the_database_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selecting, "TIME_LIMIT_OF_A_FORM", 0.1)
    with greeter() as url, pytest.raises(OneStopUnavailable, match="did not answer within"):
        selecting.has_agency(url, "H01.21")


def test_a_server_that_vanishes_is_noticed_by_its_silence(by_line: str) -> None:
    engine = read_only_engine(by_line)
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver
        ours = socket.socket(fileno=os.dup(driver.fileno()))
    with ours:
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == SILENCE * 1000
        assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= SILENCE
    engine.dispose()


def test_after_a_call_that_got_nowhere_others_do_not_wait_in_turn(tmp_path: Path) -> None:
    file = tmp_path / "onestop.db"
    source = OneStop(f"sqlite:///{file}")
    source.outage.clock = clock = SetSeconds()
    with pytest.raises(OneStopUnavailable, match="unable to open"):
        source.find(["H01.12-180802-0012"])
    sample.write(f"sqlite:///{file}", 5, 1, date(2018, 8, 15))
    clock.now += QUIET / 2
    with pytest.raises(OneStopUnavailable, match=r"not asked again yet: .* unable to open"):
        source.find(["H01.12-180802-0012"])
    clock.now += QUIET / 2
    assert source.find(["H01.12-180802-0012"]) == {}
    source.close()


def test_when_the_quiet_is_over_one_call_tries_and_the_others_are_still_refused() -> None:
    clock = SetSeconds()
    outage = Outage(clock)
    outage.ask(2)
    outage.heard("gone")
    with pytest.raises(OneStopUnavailable, match="not asked again yet: gone"):
        outage.ask(2)
    clock.now += QUIET
    outage.ask(2)
    with pytest.raises(OneStopUnavailable, match="not asked again yet: gone"):
        outage.ask(2)
    outage.heard("")
    outage.ask(2)
    outage.ask(2)


def test_a_call_that_was_never_heard_of_again_keeps_nobody_from_trying_for_longer_than_it_may_take() -> None:
    clock = SetSeconds()
    outage = Outage(clock)
    outage.heard("gone")
    clock.now += QUIET
    outage.ask(2)
    clock.now += 2
    outage.ask(2)
    with pytest.raises(OneStopUnavailable):
        outage.ask(2)


def test_a_refusal_by_the_database_itself_is_no_outage(postgres_url: str) -> None:
    source = OneStop(postgres_url)
    with pytest.raises(OneStopUnavailable, match="dossier_status"):
        source.find(["H01.12-180802-0012"])
    sample.write(postgres_url, 5, 1, date(2018, 8, 15))
    assert source.find(["H01.12-180802-0012"]) == {}
    source.close()


def test_a_database_of_any_other_kind_is_asked_code_by_code(url: str) -> None:
    asked = codes(url)
    several = [f"none-{number}" for number in range(2500)] + asked
    engine = read_only_engine(url)
    with engine.connect() as connection:
        at_once = set(_rows(connection, _FIND, several))
        connection.dialect.name = "another"
        one_by_one = set(_rows(connection, _FIND, several))
    engine.dispose()
    assert len(at_once) == len(asked)
    assert one_by_one == at_once


def test_an_error_that_says_nothing_is_told_by_its_kind() -> None:
    silent = sa.exc.OperationalError("SELECT", {}, Exception())
    assert reason(silent).startswith("the one-stop database refuses: OperationalError; check")


def test_nothing_stays_open_in_it_after_a_call(postgres_url: str) -> None:
    sample.write(postgres_url, 20, 1, date(2018, 8, 15))
    source = OneStop(postgres_url)
    source.find(codes(postgres_url))
    engine = sa.create_engine(postgres_url)
    with engine.connect() as connection:
        open_ones = sa.text("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'")
        assert connection.scalars(open_ones).one() == 0
    engine.dispose()
    source.close()


def test_a_sqlite_file_may_have_any_name(tmp_path: Path) -> None:
    url = sa.URL.create("sqlite", database=f"{tmp_path}/hồ sơ #1? 100%41.db").render_as_string()
    sample.write(url, 10, 1, date(2018, 8, 15))
    source = OneStop(url, timeout=5)
    assert len(source.find(codes(url))) == 10
    source.close()


def test_a_sqlite_file_that_is_replaced_is_read_anew(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/onestop.db"
    sample.write(url, 20, 1, date(2018, 8, 15))
    source = OneStop(url)
    try:
        source.check()
        sample.write(url, 20, 1, date(2026, 11, 23))
        code = sample.examples(url)[0].code
        assert set(source.find([code])) == {code}
        (tmp_path / "onestop.db").unlink()
        with pytest.raises(OneStopUnavailable):
            source.check()
    finally:
        source.close()
