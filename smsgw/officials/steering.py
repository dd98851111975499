"""What officials decide while the gateway runs: about channels, messages in doubt, and citizens' opt-outs; recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from smsgw.clock import Clock
from smsgw.dispatch import breaker
from smsgw.failure import ExpectedFailure
from smsgw.officials import audit
from smsgw.store import channels, opt_outs, pending
from smsgw.store.channels import Channel
from smsgw.store.database import Database
from smsgw.store.opt_outs import OptOut, Purpose
from smsgw.store.states import LIVE_FOR, State
from smsgw.text.phones import mask

RESENT_FOR = timedelta(hours=24)  # after it nobody needs a message that was in doubt


class NoSuchChannel(ExpectedFailure):
    """There is no channel of that name."""


class Steering:
    """`who` is in each decision the one who makes it, as the audit log names them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def pause(self, name: str, reason: str, who: str) -> None:
        """Nothing is sent by a channel until somebody releases it. Raises NoSuchChannel."""
        self._steer(name, "channel.pause", f"paused by {who}: {reason}", breaker.paused, who)

    def release(self, name: str, reason: str, who: str) -> None:
        """A channel sends again. Raises NoSuchChannel."""
        self._steer(name, "channel.release", f"released by {who}: {reason}", breaker.released, who)

    def try_out(self, name: str, phone: str, who: str) -> None:
        """A message of theirs is about to go out by a channel, also by one that is held."""
        with self._database.writing("steer") as connection:
            audit.record(connection, who, "channel.test", name, {"to": mask(phone)}, self._clock())

    def _steer(
        self, name: str, action: str, reason: str, step: Callable[[Channel, str, datetime], Channel], who: str
    ) -> None:
        now = self._clock()
        with self._database.writing("steer") as connection:
            if name not in channels.every(connection):
                raise NoSuchChannel(f"there is no channel {name}; smsgw channel list shows those there are")
            before = channels.lock(connection, name)
            channels.write(connection, before, step(before, reason, now), now)
            audit.record(connection, who, action, name, {"reason": reason}, now)

    def resend(self, ids: Sequence[str], who: str) -> int:
        """Send messages in doubt again; a person may then get one twice. How many were still in doubt."""
        now = self._clock()
        until = now + RESENT_FOR
        moves = [pending.Move(id, State.QUEUED, until, not_before=now, expires_at=until, tried_at=now) for id in ids]
        return self._decide(moves, "message.resend", who)

    def drop(self, ids: Sequence[str], who: str) -> int:
        """Send messages in doubt no more; a person may then never get one. How many were still in doubt."""
        deadline = self._clock() + LIVE_FOR
        return self._decide([pending.Move(id, State.CANCELLED, deadline) for id in ids], "message.drop", who)

    def _decide(self, moves: Sequence[pending.Move], action: str, who: str) -> int:
        now = self._clock()
        with self._database.writing("decide") as connection:
            moved = pending.move(connection, State.UNKNOWN, moves, now)
            if moved:
                detail = {"messages": " ".join(move.id for move in moves), "moved": moved}
                audit.record(connection, who, action, f"{moved} messages", detail, now)
        return moved

    def opt_out(self, phone: str, purpose: Purpose, who: str) -> bool:
        """A citizen wants nothing of a purpose any more; False if that was so."""
        now = self._clock()
        with self._database.writing("officials") as connection:
            new = opt_outs.add(connection, [OptOut(phone, purpose, now, f"console {who}")]) == 1
            if new:
                audit.record(connection, who, "opt_out.add", phone, {"purpose": purpose}, now)
        return new

    def opt_in(self, phone: str, purpose: Purpose, who: str) -> bool:
        """A citizen is written to again; False if that was so."""
        with self._database.writing("officials") as connection:
            gone = opt_outs.remove(connection, [(phone, purpose)]) == 1
            if gone:
                audit.record(connection, who, "opt_out.remove", phone, {"purpose": purpose}, self._clock())
        return gone
