"""Calls that may never end: each has its time, and nobody waits for one that hangs, not even the end of the process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future

import pytest

from smsgw.dossiers import calls
from smsgw.dossiers.calls import AllHang, Calls
from tests import processes


class SetSeconds:
    """A clock in seconds that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def end() -> Iterator[threading.Event]:
    """Calls hang until it is set."""
    event = threading.Event()
    yield event
    event.set()


def hang(made: Calls, end: threading.Event, seconds: float = 5) -> Future[bool]:
    """A call that does not end, and has begun."""
    begun = threading.Event()

    def work() -> bool:
        begun.set()
        return end.wait(60)

    call = made.begin(work, seconds)
    assert begun.wait(60)
    return call


def test_calls_one_after_the_other_are_made_by_one_thread_and_hand_on_what_came_of_them() -> None:
    made = Calls(3)
    assert len({made.begin(threading.get_ident, 5).result(60) for _ in range(10)}) == 1
    with pytest.raises(ZeroDivisionError):
        made.begin(lambda: 1 / 0, 5).result(60)
    assert made.begin(lambda: "all is well", 5).result(60) == "all is well"
    made.close()


def test_a_call_keeps_its_place_for_as_long_as_it_may_take_and_no_longer(end: threading.Event) -> None:
    clock = SetSeconds()
    made = Calls(1, clock)
    late = hang(made, end)
    clock.now = 5
    assert made.give_up() == 0
    with pytest.raises(AllHang):
        made.begin(dict, 0)
    clock.now = 5.1
    assert made.give_up() == 1
    assert made.begin(dict, 0).result(60) == {}
    end.set()
    assert late.result(60)
    again = threading.Event()
    hang(made, again)
    with pytest.raises(AllHang):  # who came late has brought no second place
        made.begin(dict, 0)
    again.set()
    made.close()


def test_only_so_many_lose_their_place_at_a_time(end: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "MOST_GIVEN_UP", 2)
    clock = SetSeconds()
    made, given_up = Calls(1, clock), list[Future[bool]]()
    for count in (1, 1, 0):
        given_up.append(hang(made, end))
        clock.now += 6
        assert made.give_up() == count
    with pytest.raises(AllHang):
        made.begin(dict, 0)
    end.set()
    assert all(call.result(60) for call in given_up)
    assert made.begin(dict, 1).result(60) == {}
    made.close()


def test_who_waits_when_it_is_closed_waits_no_longer(end: threading.Event) -> None:
    made = Calls(1)
    waiting = hang(made, end)
    made.close()
    with pytest.raises(CancelledError):
        waiting.result(60)
    with pytest.raises(CancelledError):
        made.begin(dict, 60).result(60)


def hang_for_ever() -> None:
    hang(Calls(1), threading.Event())


def test_a_process_ends_whoever_hangs_in_it() -> None:
    process = processes.start(hang_for_ever)
    process.join(30)
    assert process.exitcode == 0
