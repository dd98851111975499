"""Officials: who they are, how they get in and how others don't."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smsgw.gateway import Gateway
from smsgw.officials import passwords, slowdown, totp
from smsgw.officials.accounts import AccountError, acting, highest_role
from smsgw.officials.passwords import PoorPassword
from smsgw.officials.signing_in import Refused, TooSoon, Visitor
from smsgw.store import officials
from smsgw.store.officials import Failures
from tests.console import PASSWORD
from tests.world import NOON, World

DESK = Visitor("10.0.0.7", "Firefox")


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
    with pytest.raises(AccountError, match="the gateway itself"):
        accounts.add("Gateway", "admin", None, None, None, "test")
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
