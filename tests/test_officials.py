"""Officials: who they are, how they get in and how others don't, and the log that can't be changed unnoticed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from smsgw.gateway import Gateway
from smsgw.officials import audit, passwords, slowdown, totp
from smsgw.officials.accounts import AccountError, acting, highest_role
from smsgw.officials.passwords import PoorPassword
from smsgw.officials.signing_in import Refused, TooSoon, Visitor
from smsgw.store import officials
from smsgw.store.audit import BEFORE_ALL, Entry, Head, entries
from smsgw.store.database import Database
from smsgw.store.officials import Failures
from smsgw.store.tables import audit as audit_table
from smsgw.store.tables import audit_head
from tests.console import PASSWORD
from tests.world import NOON, World

DESK = Visitor("10.0.0.7", "Firefox")


def written(database: Database, count: int) -> None:
    for number in range(count):
        with database.writing("test") as connection:
            audit.record(connection, "lan", "test.thing", f"thing {number}", {"phone": "84912345678"}, NOON)


def verdict(database: Database, noted: str | None = None) -> audit.Verdict:
    with database.reading() as connection:
        return audit.verify(connection, noted)


def test_the_log_as_it_was_written_is_whole(database: Database) -> None:
    assert verdict(database).broken is None
    written(database, 3)
    assert (verdict(database).entries, verdict(database).broken) == (3, None)


@pytest.mark.parametrize("column", ["who", "action", "subject", "detail", "at", "hash", "previous"])
def test_whatever_is_changed_in_an_entry_the_log_names_it(database: Database, column: str) -> None:
    written(database, 4)
    value = NOON + timedelta(seconds=1) if column == "at" else "other"
    with database.writing("test") as connection:
        connection.execute(sa.update(audit_table).where(audit_table.c.number == 2).values({column: value}))
    assert verdict(database).broken == 2


@pytest.mark.parametrize(("gone", "broken"), [(1, 1), (2, 2), (4, 4)])
def test_an_entry_taken_out_is_missed_also_at_the_end(database: Database, gone: int, broken: int) -> None:
    written(database, 4)
    with database.writing("test") as connection:
        connection.execute(sa.delete(audit_table).where(audit_table.c.number == gone))
    assert verdict(database).broken == broken


@pytest.mark.parametrize(("forged", "broken"), [(2, 3), (4, 4)])
def test_an_entry_that_was_changed_and_hashed_anew_is_found_out(database: Database, forged: int, broken: int) -> None:
    written(database, 4)
    with database.writing("test") as connection:
        (entry,) = (entry for entry in entries(connection, 4) if entry.number == forged)
        values = {"who": "other", "hash": audit.entry_hash(replace(entry, who="other"))}
        connection.execute(sa.update(audit_table).where(audit_table.c.number == forged).values(values))
    assert verdict(database).broken == broken


def test_a_log_written_anew_does_not_hold_the_hash_that_was_noted(database: Database) -> None:
    written(database, 3)
    noted = verdict(database).head
    written(database, 1)
    assert verdict(database, noted).broken is None
    with database.writing("test") as connection:
        connection.execute(sa.delete(audit_table))
        connection.execute(sa.delete(audit_head))
        audit.record(connection, "lan", "other.thing", "", {}, NOON)
    assert verdict(database).broken is None
    assert verdict(database, noted).broken == 1


def test_entries_written_at_the_same_time_follow_on_each_other(database: Database) -> None:
    writers = [threading.Thread(target=written, args=(database, 5)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert (verdict(database).entries, verdict(database).broken) == (20, None)


def test_phone_numbers_are_masked_in_the_log(database: Database) -> None:
    written(database, 1)
    with database.reading() as connection:
        assert "84912***678" in connection.scalars(sa.select(audit_table.c.detail)).one()


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), min_size=1, max_size=6), st.integers(min_value=0))
def test_any_chain_holds_and_none_holds_with_two_entries_exchanged(said: list[tuple[str, str, str]], at: int) -> None:
    entries: list[Entry] = []
    head = Head(0, BEFORE_ALL)
    for who, action, subject in said:
        entries.append(audit.sealed(head, NOON, who, action, subject, "{}"))
        head = Head(entries[-1].number, entries[-1].hash)
    assert audit.examine(entries, head).broken is None
    first, second = at % len(entries), (at + 1) % len(entries)
    exchanged = list(entries)
    exchanged[first] = replace(entries[second], number=first + 1)
    if exchanged[first].hash != entries[first].hash:
        assert audit.examine(exchanged, head).broken is not None


# RFC 6238, appendix B, for SHA-1, cut to six digits.
@pytest.mark.parametrize(("at", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_codes_are_those_of_the_rfc(at: int, code: str) -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    moment = datetime.fromtimestamp(at, UTC)
    assert totp.code(secret, totp.step_of(moment)) == code
    assert totp.step_matching(secret, f"{code[:3]} {code[3:]}", moment + timedelta(seconds=30)) == at // 30
    assert totp.step_matching(secret, code, moment + timedelta(seconds=90)) is None
    assert totp.step_matching(secret, "mã số", moment) is None


def test_waits_grow_and_have_an_end() -> None:
    def wait(count: int) -> timedelta:
        return slowdown.wait(Failures(count, NOON), 5, NOON)

    assert [wait(count).total_seconds() for count in (0, 4, 5, 6, 7)] == [0, 0, 15, 30, 60]
    assert wait(10_000) == slowdown.LONGEST
    assert slowdown.wait(Failures(10_000, NOON), 5, NOON + slowdown.LONGEST) == timedelta()


def test_a_password_opens_the_door_and_nothing_else_does(anywhere: World) -> None:
    gateway = anywhere.gateway
    official = gateway.accounts.add("Lan", "sender", "H01.21", None, PASSWORD, "test")
    token = gateway.signing_in.with_password(" LAN ", PASSWORD, DESK)
    found = gateway.signing_in.current(token)
    assert found is not None
    assert (found.official.name, found.session.stage, found.session.address) == ("lan", "full", "10.0.0.7")
    for name, password in (("lan", PASSWORD + "x"), ("lan", ""), ("nobody", PASSWORD)):
        with pytest.raises(Refused):
            gateway.signing_in.with_password(name, password, DESK)
    gateway.accounts.disable(official, "test")
    assert gateway.signing_in.current(token) is None
    with pytest.raises(Refused):
        gateway.signing_in.with_password("lan", PASSWORD, DESK)


def test_a_password_takes_as_long_for_an_unknown_account(monkeypatch: pytest.MonkeyPatch) -> None:
    assert passwords.matches(None, "nobody's password") is False
    assert passwords.matches(passwords.hashed("x" * 12), "x" * 12) is True
    asked: list[str] = []
    real = passwords._hasher
    monkeypatch.setattr(passwords, "_hasher", type("Seen", (), {"verify": lambda _, hash, word: asked.append(hash)})())
    passwords.matches(None, "whatever")
    monkeypatch.setattr(passwords, "_hasher", real)
    assert real.check_needs_rehash(asked[0]) is False  # the same parameters, hence the same work


def test_guessing_is_slowed_down_by_account_and_not_for_others(here: World) -> None:
    signing_in = here.gateway.signing_in
    here.gateway.accounts.add("lan", "viewer", None, None, PASSWORD, "test")
    for place in range(5):
        with pytest.raises(Refused):
            signing_in.with_password("lan", "wrong", Visitor(f"10.0.1.{place}", ""))
    with pytest.raises(TooSoon) as refused:
        signing_in.with_password("lan", PASSWORD, DESK)
    assert refused.value.wait.total_seconds() == 15
    other_node = Gateway(here.gateway.settings, here.clock)
    with pytest.raises(TooSoon):
        other_node.signing_in.with_password("lan", PASSWORD, DESK)
    other_node.close()
    here.clock.forward(seconds=15)
    assert signing_in.with_password("lan", PASSWORD, DESK)
    assert signing_in.with_password("lan", PASSWORD, DESK)


def test_guessing_from_many_addresses_of_one_network_is_slowed_down_like_from_one(here: World) -> None:
    signing_in = here.gateway.signing_in
    for number in range(30):
        signing_in._count_try(f"name{number}", f"2001:db8::{number:x}", here.clock())
    with pytest.raises(TooSoon):
        signing_in.with_password("another", "x", Visitor("2001:db8::ffff", ""))


def test_guessing_is_slowed_down_by_address_and_signing_in_well_costs_nothing(here: World) -> None:
    signing_in = here.gateway.signing_in
    here.gateway.accounts.add("lan", "viewer", None, None, PASSWORD, "test")
    for number in range(29):
        signing_in._count_try(f"name{number}", "10.9.9.9", here.clock())
    for _ in range(2):
        signing_in.with_password("lan", PASSWORD, Visitor("10.9.9.9", ""))
    signing_in._count_try("name", "10.9.9.9", here.clock())
    with pytest.raises(TooSoon):
        signing_in.with_password("another", "x", Visitor("10.9.9.9", ""))


def test_the_second_factor_is_asked_for_and_each_code_is_good_once(here: World) -> None:
    gateway, signing_in = here.gateway, here.gateway.signing_in
    official = gateway.accounts.add("lan", "admin", None, None, PASSWORD, "test")
    secret = totp.new_secret()
    assert not gateway.accounts.begin_second_factor(official, secret, "000000")
    assert gateway.accounts.begin_second_factor(official, secret, totp.code(secret, totp.step_of(here.clock())))
    here.clock.forward(seconds=30)
    code = totp.code(secret, totp.step_of(here.clock()))
    half = signing_in.with_password("lan", PASSWORD, DESK)
    found = signing_in.current(half)
    assert found is not None
    assert found.session.stage == "password"
    full = signing_in.with_code(half, code, DESK)
    assert signing_in.current(half) is None
    found = signing_in.current(full)
    assert found is not None
    assert found.session.stage == "full"
    again = signing_in.with_password("lan", PASSWORD, DESK)
    with pytest.raises(Refused):
        signing_in.with_code(again, code, DESK)


def test_who_signs_in_by_several_things_has_to_show_all_of_them_as_their_owner(here: World) -> None:
    accounts, door = here.gateway.accounts, here.gateway.signing_in
    lan = accounts.add("lan", "viewer", None, None, PASSWORD, "test")
    vouched = accounts.add("minh", "viewer", None, None, None, "test")
    door.check_owner(vouched, "", "", DESK)
    door.check_owner(lan, PASSWORD, "", DESK)
    with pytest.raises(Refused):
        door.check_owner(lan, "wrong", "", DESK)
    secret = totp.new_secret()
    for official in (lan, vouched):
        assert accounts.begin_second_factor(official, secret, totp.code(secret, totp.step_of(here.clock())))
    here.clock.forward(seconds=30)
    code = totp.code(secret, totp.step_of(here.clock()))
    for official, password, shown in [(lan, PASSWORD, "1"), (lan, "wrong", code), (lan, "", code), (vouched, "", "1")]:
        with pytest.raises(Refused):
            door.check_owner(official, password, shown, DESK)
    door.check_owner(lan, PASSWORD, code, DESK)
    door.check_owner(vouched, "", code, DESK)
    with pytest.raises(Refused):
        door.check_owner(lan, PASSWORD, code, DESK)  # it was used


def test_guessing_at_the_code_of_ones_own_is_slowed_down_also_for_who_knows_the_password(here: World) -> None:
    accounts, door, secret = here.gateway.accounts, here.gateway.signing_in, totp.new_secret()
    lan = accounts.add("lan", "viewer", None, None, PASSWORD, "test")
    assert accounts.begin_second_factor(lan, secret, totp.code(secret, totp.step_of(here.clock())))
    lan = accounts.named("lan")
    for place in range(2):
        door.check_own(lan, PASSWORD, Visitor(f"10.0.1.{place}", ""))
    for place in range(3):
        with pytest.raises(Refused):
            door.check_owner(lan, PASSWORD, "1", Visitor(f"10.0.2.{place}", ""))
    with pytest.raises(TooSoon):
        door.check_owner(lan, PASSWORD, "1", DESK)


def test_sessions_end_when_idle_and_in_any_case(here: World) -> None:
    signing_in = here.gateway.signing_in
    here.gateway.accounts.add("lan", "viewer", None, None, None, "test")
    token = signing_in.vouched_for("lan", DESK)
    for _ in range(5):
        here.clock.forward(minutes=29)
        assert signing_in.current(token)
    here.clock.forward(minutes=31)
    assert signing_in.current(token) is None
    token = signing_in.vouched_for("lan", DESK)
    for _ in range(12 * 60 // 29):
        here.clock.forward(minutes=29)
        assert signing_in.current(token)
    here.clock.forward(minutes=29)
    assert signing_in.current(token) is None


def _while_looking(world: World, monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    """Something happens after the password was read and before it is found to be right."""
    matches = passwords.matches

    def interrupted(hash: str | None, password: str) -> bool:
        monkeypatch.setattr(passwords, "matches", matches)
        do()
        return matches(hash, password)

    monkeypatch.setattr(passwords, "matches", interrupted)


def test_a_password_that_is_replaced_while_it_is_looked_at_opens_nothing(
    anywhere: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts, door = anywhere.gateway.accounts, anywhere.gateway.signing_in
    lan = accounts.add("lan", "sender", None, None, PASSWORD, "cli:test")
    monkeypatch.setattr(passwords, "is_outdated", lambda hash: True)
    _while_looking(anywhere, monkeypatch, lambda: accounts.set_password(lan, "another long one", "cli:test"))
    with pytest.raises(Refused):
        door.with_password("lan", PASSWORD, DESK)
    assert door.sessions(lan) == []
    assert door.current(door.with_password("lan", "another long one", DESK))


def test_who_is_disabled_while_signing_in_is_not_in_when_enabled_again(
    anywhere: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts, door = anywhere.gateway.accounts, anywhere.gateway.signing_in
    lan = accounts.add("lan", "sender", None, None, PASSWORD, "cli:test")
    _while_looking(anywhere, monkeypatch, lambda: accounts.disable(lan, "cli:test"))
    with pytest.raises(Refused):
        door.with_password("lan", PASSWORD, DESK)
    accounts.enable(lan, "cli:test")
    assert door.sessions(lan) == []


def test_a_second_factor_that_is_set_up_while_signing_in_is_asked_for(
    anywhere: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts, door, secret = anywhere.gateway.accounts, anywhere.gateway.signing_in, totp.new_secret()
    lan = accounts.add("lan", "sender", None, None, PASSWORD, "cli:test")
    code = totp.code(secret, totp.step_of(anywhere.clock()))
    _while_looking(anywhere, monkeypatch, lambda: accounts.begin_second_factor(lan, secret, code))
    signed_in = door.current(door.with_password("lan", PASSWORD, DESK))
    assert signed_in is not None
    assert signed_in.session.stage == "password"


def test_a_session_that_is_ended_while_its_code_is_looked_at_stays_ended(
    anywhere: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts, door, secret = anywhere.gateway.accounts, anywhere.gateway.signing_in, totp.new_secret()
    lan = accounts.add("lan", "sender", None, None, PASSWORD, "cli:test")
    assert accounts.begin_second_factor(lan, secret, totp.code(secret, totp.step_of(anywhere.clock())))
    half, step_matching = door.with_password("lan", PASSWORD, DESK), totp.step_matching

    def interrupted(secret: str, code: str, now: datetime) -> int | None:
        accounts.set_password(lan, "another long one", "cli:test")
        return step_matching(secret, code, now)

    monkeypatch.setattr(totp, "step_matching", interrupted)
    anywhere.clock.forward(seconds=60)
    with pytest.raises(Refused):
        door.with_code(half, totp.code(secret, totp.step_of(anywhere.clock())), DESK)
    assert door.sessions(lan) == []


def test_of_tries_at_the_same_time_no_more_are_free_than_one_after_the_other(
    anywhere: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    anywhere.gateway.accounts.add("lan", "sender", None, None, PASSWORD, "cli:test")
    looked, together, failures = list[Refused](), threading.Barrier(8), officials.failures

    def at_once(*given: Any) -> dict[str, Failures]:
        found = failures(*given)
        with suppress(threading.BrokenBarrierError):
            together.wait(1)
        return found

    def tried() -> None:
        try:
            anywhere.gateway.signing_in.with_password("lan", "not the right one", DESK)
        except Refused as refused:
            looked.append(refused)
        except TooSoon:
            pass

    monkeypatch.setattr(officials, "failures", at_once)
    threads = [threading.Thread(target=tried) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(looked) == 5


def test_a_new_password_ends_the_other_sessions(here: World) -> None:
    signing_in = here.gateway.signing_in
    official = here.gateway.accounts.add("lan", "viewer", None, None, None, "test")
    kept, ended = signing_in.vouched_for("lan", DESK), signing_in.vouched_for("lan", DESK)
    this = signing_in.current(kept)
    assert this is not None
    here.gateway.accounts.set_password(official, PASSWORD, "lan", session=this.session.token_hash)
    assert signing_in.current(kept)
    assert signing_in.current(ended) is None


@pytest.mark.parametrize(
    ("password", "reason"),
    [("short", "short"), ("x" * 201, "long"), ("nguyenlan2018", "name")],
)
def test_poor_passwords_are_refused(password: str, reason: str) -> None:
    with pytest.raises(PoorPassword) as refused:
        passwords.check_new(password, "nguyenlan")
    assert refused.value.reason == reason


def test_a_name_is_taken_once_and_a_role_is_one_that_there_is(here: World) -> None:
    accounts = here.gateway.accounts
    accounts.add("lan", "viewer", None, None, None, "test")
    with pytest.raises(AccountError, match="already"):
        accounts.add("LAN", "admin", None, None, None, "test")
    with pytest.raises(AccountError, match="can't be a name"):
        accounts.add("Lan Anh", "admin", None, None, None, "test")
    assert highest_role("sender, viewer,approver") == "approver"
    with pytest.raises(AccountError, match="no role 'boss'"):
        highest_role("boss")


def test_a_command_acts_as_somebody_who_may(here: World) -> None:
    accounts = here.gateway.accounts
    lan = accounts.add("lan", "sender", None, None, None, "test")
    with here.gateway.database.reading() as connection:
        assert acting(connection, "Lan", "viewer") == lan
        with pytest.raises(AccountError, match="takes the role approver"):
            acting(connection, "lan", "approver")
        with pytest.raises(AccountError, match="no official hoa"):
            acting(connection, "hoa", "viewer")
    accounts.disable(lan, "test")
    with here.gateway.database.reading() as connection, pytest.raises(AccountError, match="disabled"):
        acting(connection, "lan", "viewer")
