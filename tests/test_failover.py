"""Two channels for one purpose: what one can't take the other does, what one may have it keeps, and all is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from providers.simulator import Carrier, SimulatorConfig, create_app
from smsgw import checkup
from smsgw.bench.ports import free_port
from smsgw.dispatch.sweep import BATCH, LEFT
from smsgw.gateway import Gateway
from smsgw.store import channels, conversations, outbox
from smsgw.store.channels import Event
from smsgw.store.schedules import Stopped
from smsgw.store.tables import Lane, outbound
from smsgw.web.server import WebServer
from tests.chats import MAI, Chats
from tests.console import official
from tests.world import SECRET, TOKEN, World, world

PHONE = "84912345678"


@dataclass
class Two:
    """A world whose channel `sms` has a spare one."""

    here: World
    spare: Carrier

    def ask(self, text: str = "HELP", *, seconds: int = 5) -> int:
        """Somebody texts; how many answers came by the spare channel by now."""
        self.here.carrier.text(PHONE, text)
        self.settle(seconds)
        return len([bubble for bubble in self.spare.conversation(PHONE) if bubble.direction == "in"])

    def settle(self, seconds: int) -> None:
        for left in reversed(range(seconds)):
            self.here.stride(1)
            self.spare.run_due()
            if not self.spare.counters()["callbacks_waiting"] and not self.here.under_way():
                self.here.clock.forward(seconds=left)
                return

    def wait(self, minutes: int) -> None:
        """Nothing is to be waited for within seconds: the probes of a channel come every half minute at the most."""
        for _ in range(minutes * 4):
            self.here.stride(15)
            self.spare.run_due()

    def events(self, name: str = "sms") -> list[Event]:
        with self.here.gateway.database.reading() as connection:
            return channels.events(connection, name)

    def state(self, name: str = "sms") -> str:
        return self.here.outbox().channels[name].state


@pytest.fixture
def two(tmp_path: Path, tables_url: str) -> Iterator[Two]:
    port = free_port()
    more = f"""
[channels.spare]
provider = "aggregator"
url = "http://127.0.0.1:{port}"
token = "{TOKEN}"
secret = "{SECRET}"
sender = "8188"
tps = 1000
[[routes]]
purposes = ["reply"]
channels = ["sms", "spare"]
"""
    with world(tmp_path, tables_url, dossiers=0, more=more) as here:

        def post(url: str, body: bytes, headers: dict[str, str]) -> int:
            path = url.removeprefix("http://gateway")
            return here.client.post(path, data=body, headers=headers).status_code

        config = SimulatorConfig(gateway_url="http://gateway", token=TOKEN, secret=SECRET, channel="spare")
        spare = Carrier(config, clock=lambda: here.clock().timestamp(), post=post)
        web = WebServer(create_app(spare), f"127.0.0.1:{port}")
        web.start()
        yield Two(here, spare)
        web.stop()


def test_what_a_channel_surely_did_not_take_goes_by_the_other_one_at_once(two: Two) -> None:
    two.here.lose_carrier()
    assert two.ask() == 1
    assert two.here.states() == {"delivered": 1}
    with two.here.gateway.database.reading() as connection:
        (sent,) = conversations.thread(connection, PHONE).went
    message = sent.row
    assert (message.channel, message.attempts) == ("spare", 2)


def test_a_channel_that_can_not_be_reached_trips_and_a_probe_brings_it_back(two: Two) -> None:
    two.here.lose_carrier()
    for number in range(6):
        two.ask(f"HELP {number}", seconds=1)
    assert two.state() == "tripped"
    assert [event.state for event in two.events()] == ["tripped"]
    assert "no connection" in two.events()[0].reason
    assert two.ask("HELP again") == 7  # queued for the spare one from the start
    two.here.find_carrier()
    two.wait(minutes=3)
    assert two.state() == "open"
    assert [event.state for event in two.events()] == ["open", "tripped"]
    assert two.ask() == 7
    assert two.here.states() == {"delivered": 8}


def test_a_channel_that_refuses_our_token_is_held_and_says_so_while_the_other_one_sends(two: Two) -> None:
    two.here.carrier.config = SimulatorConfig(gateway_url="http://gateway", token="another", secret=SECRET)
    assert two.ask() == 1
    assert two.state() == "held"
    assert two.events()[0].reason == "the carrier answered 401: check the channel's url and credentials"
    two.wait(minutes=5)
    assert two.state() == "held"
    assert two.here.states() == {"delivered": 1}


def test_while_no_other_channel_is_open_nothing_is_looked_through(two: Two) -> None:
    gateway, begun = two.here.gateway, list[str]()
    for name in ("sms", "spare"):
        gateway.steering.pause(name, "both are away", "lan")
    assert two.ask(seconds=1) == 0
    gateway.roads.look(gateway.database)
    gateway.database.boundary = lambda name, side: begun.append(name)
    gateway.sweep()
    assert "sweep" in begun
    assert "move on" not in begun
    gateway.steering.release("spare", "it is back", "lan")
    two.settle(5)
    assert "move on" in begun
    assert two.here.states() == {"delivered": 1}


def test_of_what_waits_at_a_closed_channel_all_that_is_due_moves_on_and_what_has_no_other_one_stays(two: Two) -> None:
    gateway, now, many = two.here.gateway, two.here.clock(), BATCH + 3
    gateway.steering.pause("sms", "it is away", "lan")
    gateway.roads.look(gateway.database)
    day = timedelta(days=1)

    def queue(lane: Lane, people: int, due: datetime) -> None:
        dues = [due - timedelta(seconds=number) for number in range(people)]  # who came last is first to get theirs
        with gateway.database.writing("test") as connection:
            outbox.add(
                connection, [gateway.channels["sms"].message(lane, PHONE, "x", at, now + 2 * day) for at in dues]
            )

    queue(Lane.REPLY, many, now)
    queue(Lane.REPLY, 2, now + day)
    queue(Lane.REMINDER, 5, now)
    assert gateway.sweeper.deadlines() == many
    assert _waiting(two.here) == {("spare", Lane.REPLY): many, ("sms", Lane.REPLY): 2, ("sms", Lane.REMINDER): 5}
    assert gateway.sweeper.deadlines() == 0


def test_who_is_told_to_stop_moves_on_no_more_than_what_is_in_hand(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smsgw.dispatch.sweep.BATCH", 1)
    gateway, now = two.here.gateway, two.here.clock()
    gateway.steering.pause("sms", "it is away", "lan")
    gateway.roads.look(gateway.database)
    with gateway.database.writing("test") as connection:
        outbox.add(
            connection,
            [gateway.channels["sms"].message(Lane.REPLY, PHONE, "x", now, now + timedelta(days=1)) for _ in range(9)],
        )
    gateway.database.boundary = lambda name, _: gateway.sweeper.stop() if name == "move on" else None
    with pytest.raises(Stopped):
        gateway.sweeper.deadlines()
    assert _waiting(two.here) == {("spare", Lane.REPLY): 1, ("sms", Lane.REPLY): 8}


def _waiting(here: World) -> dict[tuple[str, Lane], int]:
    """How many messages are queued, by channel and lane."""
    which = (outbound.c.channel, outbound.c.lane)
    with here.gateway.database.reading() as connection:
        rows = connection.execute(sa.select(*which, sa.func.count()).group_by(*which)).all()
    return {(channel, Lane(lane)): count for channel, lane, count in rows}


def test_what_waits_at_a_channel_that_is_gone_moves_on_however_much_it_is(anywhere: World) -> None:
    gateway, now, many = anywhere.gateway, anywhere.clock(), BATCH + 3
    with gateway.database.writing("test") as connection:
        channels.ensure(connection, "of old", now)
        made = [
            gateway.channels["sms"].message(lane, PHONE, "x", now, now + timedelta(days=1))
            for lane, count in zip(Lane, (many, 2, 3), strict=True)
            for _ in range(count)
        ]
        outbox.add(connection, [item._replace(channel="of old") for item in made])
    gateway.roads.look(gateway.database)
    assert gateway.sweeper.deadlines() == 0
    anywhere.clock.forward(seconds=LEFT.total_seconds())
    assert gateway.sweeper.deadlines() == many + 5
    assert _waiting(anywhere) == {("sms", Lane.REPLY): many, ("sms", Lane.REMINDER): 2, ("sms", Lane.NOTICE): 3}


def test_what_a_channel_may_have_is_never_sent_by_the_other_one(two: Two) -> None:
    two.here.carrier.faults.change({"cut_after": 1, "lost_receipts": 1})
    assert two.ask(seconds=30) == 0
    assert two.state() == "tripped"
    with two.here.gateway.database.reading() as connection:
        (sent,) = conversations.thread(connection, PHONE).went
    message = sent.row
    assert message.channel == "sms"
    assert message.doubts >= 1
    two.here.carrier.faults.change({"cut_after": 0})
    two.wait(minutes=7)
    assert two.here.states() == {"submitted": 1}
    assert len(two.here.heard(PHONE)) == 1
    assert two.spare.conversation(PHONE) == []


def test_doubt_is_left_to_the_nodes_whose_settings_have_its_channel(two: Two) -> None:
    here, spare = two.here, two.spare
    settings = here.gateway.settings
    of_old = settings.model_copy(update={"channels": {"sms": settings.channels["sms"]}, "routes": []})
    left = Gateway(of_old, here.clock)  # while nodes are restarted one by one
    spare.faults.change({"cut_after": 1, "lost_receipts": 1})
    with here.gateway.database.writing("test") as connection:
        now = here.clock()
        item = here.gateway.channels["spare"].message(Lane.NOTICE, PHONE, "Thong bao", now, now + timedelta(hours=1))
        outbox.add(connection, [item])
    here.clock.forward(seconds=1)  # in which the rate has saved up something
    here.send()
    assert here.states() == {"unknown": 1}
    here.clock.forward(minutes=5)
    assert left.sweep() == 0
    spare.faults.change({"cut_after": 0})
    two.settle(5)
    assert here.states() == {"submitted": 1}  # again under its ref, which the carrier knows
    assert len(spare.conversation(PHONE)) == 1
    left.close()


def test_a_carrier_that_may_have_forgotten_our_ref_is_not_sent_the_message_again(two: Two) -> None:
    two.here.carrier.faults.change({"cut_after": 1, "lost_receipts": 1})
    two.ask(seconds=2)
    two.here.clock.forward(hours=11)  # a reply is needed for twelve hours
    two.settle(1)
    assert two.here.outbox().states["expired"] == 0
    two.here.clock.forward(hours=14)
    two.here.carrier.faults.change({"cut_after": 0})
    two.wait(minutes=4)
    assert len(two.here.heard(PHONE)) == 1
    assert two.here.states() == {"expired": 1}


def test_what_waits_at_a_channel_that_was_taken_out_of_the_settings_goes_by_another_one(anywhere: World) -> None:
    gateway = anywhere.gateway
    gateway.steering.pause("sms", "to see it wait", "lan")
    anywhere.text(PHONE, "HELP")
    with gateway.database.writing("test") as connection:
        channels.ensure(connection, "of old", anywhere.clock())
        connection.execute(sa.update(outbound).values(channel="of old", sender="of old"))
    gateway.steering.release("sms", "it was seen", "lan")
    anywhere.settle()
    assert anywhere.states() == {"queued": 1}  # other nodes may still have that channel
    anywhere.clock.forward(minutes=11)
    anywhere.settle()
    assert anywhere.states() == {"delivered": 1}
    with gateway.database.reading() as connection:
        (sent,) = conversations.thread(connection, PHONE).went
    assert (sent.row.channel, sent.row.sender) == ("sms", "8188")


def test_a_channel_that_was_taken_out_of_the_settings_is_nobodys_alarm(here: World) -> None:
    gateway, desk = here.gateway, official(here, "lan", "admin")
    with gateway.database.writing("test") as connection:
        channels.ensure(connection, "of old", here.clock())
    gateway.steering.pause("of old", "it goes", "lan")
    assert checkup._queue(gateway).ok
    assert "of old" not in desk.get("/") + desk.get("/channels/") + here.client.get("/metrics").get_data(as_text=True)
    with gateway.database.writing("test") as connection:
        item = gateway.channels["sms"].message(Lane.REPLY, PHONE, "x", here.clock(), here.clock() + timedelta(hours=1))
        outbox.add(connection, [item._replace(channel="of old")])
    here.clock.forward(minutes=1)  # figures are read anew
    shown = desk.get("/channels/")
    assert "Không còn trong cấu hình" in shown
    assert "Mở lại kênh" not in shown
    assert "of old" not in desk.get("/")


def test_what_waits_for_somebody_in_a_chat_that_was_taken_out_goes_by_no_sms(any_chat: Chats) -> None:
    here = any_chat.here
    here.gateway.steering.pause("zalo", "to see it wait", "lan")
    any_chat.say(MAI, "HELP")
    settings = here.gateway.settings
    left = Gateway(
        settings.model_copy(update={"channels": {"sms": settings.channels["sms"]}, "routes": []}), here.clock
    )
    here.clock.forward(minutes=11)
    left.roads.look(left.database)
    assert left.sweep() == 0
    here.clock.forward(hours=12)
    assert left.sweep() == 1
    left.close()
    assert any_chat.rows(outbound.c.state) == [("expired",)]
