"""A channel as the dispatch room needs it."""

from __future__ import annotations

from dataclasses import dataclass

from providers.contract import Provider
from smsgw.dispatch.pace import Pace


@dataclass(frozen=True, slots=True)
class Channel:
    """A carrier's door: its name in URLs and reports, who we are there, and what the contract allows."""

    name: str
    sender: str
    provider: Provider
    pace: Pace
    batch: int
