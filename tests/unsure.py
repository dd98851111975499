"""A carrier that can't be asked twice: the aggregator's format, and every submission is a new message."""

from __future__ import annotations

from typing import ClassVar, cast

from pydantic import BaseModel

from providers.aggregator import Aggregator, Config
from providers.contract import Abilities

__all__ = ["Config", "Unsure", "connect"]


def connect(config: BaseModel) -> Unsure:
    """A provider for one channel."""
    return Unsure(cast(Config, config))


class Unsure(Aggregator):
    """The same format without the promise that a ref is taken once."""

    abilities: ClassVar[Abilities] = Abilities(idempotent_by_ref=False, largest_batch=500)
