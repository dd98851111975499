"""What officials do with complaints and questions: answer them by SMS, and close them. Both are in the audit log."""

from __future__ import annotations

from smsgw.answers.answering import Answers
from smsgw.answers.asker import Asker
from smsgw.clock import Clock
from smsgw.dispatch.channel import Roads
from smsgw.intake.intake import reply_message
from smsgw.officials import audit
from smsgw.store import people, voices
from smsgw.store.database import Database
from smsgw.store.tables import Lane
from smsgw.store.voices import Voice
from smsgw.store.wakes import Bell
from smsgw.text.addresses import scheme

LONGEST_ANSWER = 400  # characters


class VoiceDesk:
    """Where officials answer. `who` is as the audit log names them."""

    def __init__(self, database: Database, answers: Answers, roads: Roads, bell: Bell, clock: Clock) -> None:
        self._database = database
        self._answers = answers
        self._roads = roads
        self._bell = bell
        self._clock = clock

    def answer(self, voice: Voice, text: str, who: str) -> bool:
        """Send the citizen an answer; False, and nothing goes out, if somebody was quicker."""
        now = self._clock()
        with self._database.reading() as connection:
            wish = people.wishes(connection, [voice.phone])[voice.phone]
        asker = Asker(voice.phone, wish.language, wish.accents, whole=scheme(voice.phone) is not None)
        reply = self._answers.voice_answer(voice.number, text, asker)
        channel = self._roads.first(Lane.REPLY, voice.phone, voice.channel)
        message = reply_message(channel, None, voice.phone, reply, now)
        with self._database.writing("voice") as connection:
            if not voices.answer(connection, voice.id, text, who, message, now):
                return False
            self._bell.tell(connection, channel.name, Lane.REPLY)
            audit.record(connection, who, "voice.answer", str(voice.number), {"message": message.id}, now)
        self._bell.ring(channel.name, Lane.REPLY)
        return True

    def close(self, voice: Voice, who: str) -> bool:
        """Nothing more is to be done; False if it was closed already."""
        now = self._clock()
        with self._database.writing("voice") as connection:
            before = voices.close(connection, voice.id, who, now)
            if before is not None:
                audit.record(connection, who, "voice.close", str(voice.number), {"was": before}, now)
        return before is not None
