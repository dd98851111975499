"""Each table of `settings.toml`, with its keys, their limits and their defaults."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from importlib.util import find_spec
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, model_validator

import providers
from providers.contract import ProviderModule
from smsgw.settings.kinds import (
    Bind,
    Count,
    Days,
    DaysOfLog,
    FileName,
    GatewayDatabase,
    Hour,
    Issuer,
    Number,
    Phone,
    Prefix,
    Proxies,
    Purpose,
    ReadDatabase,
    Table,
    Timezone,
)


class GatewaySettings(Table):
    """[gateway]"""

    database: GatewayDatabase = Field(repr=False)  # may hold a password
    timezone: Timezone = "Asia/Ho_Chi_Minh"
    public_url: HttpUrl = HttpUrl("http://127.0.0.1:8080")
    secret_key: SecretStr = SecretStr("")


class WebSettings(Table):
    """[web]. `trusted_proxy`: the address of the proxy in front, whose word on the visitor's address is taken.

    `share_port`: several processes of this machine listen on one address, and the kernel deals out connections.
    """

    bind: Bind = "127.0.0.1:8080"
    threads: Count = Field(default=8, ge=1, le=256)
    share_port: bool = False
    trusted_proxy: Proxies | None = None


class OneStopSettings(Table):
    """[onestop]. `time_limit` in seconds for one look-up; `apologise_after` in seconds without an answer."""

    database: ReadDatabase = Field(repr=False)
    time_limit: Number = Field(default=1.5, gt=0, le=30)
    apologise_after: Number = Field(default=300.0, gt=0, le=86_400)


class AnswerSettings(Table):
    """[answers]. `wording`: a file in place of the shipped wording; limits count messages of one sender in an hour.

    `most_followed`: dossiers that one phone may follow.
    """

    wording: FileName | None = None
    hotline: str = Field(default="1022", min_length=3, max_length=20)
    slow_after_misses: Count = Field(default=5, ge=1)
    refuse_after_misses: Count = Field(default=20, ge=1)
    same_text_limit: Count = Field(default=100, ge=1)
    most_followed: Count = Field(default=20, ge=1)


class QuietHours(Table):
    """[quiet_hours], by the gateway's time zone. `holidays`: these are quiet all day, unless start is end."""

    start: Hour = time(21)
    end: Hour = time(7)
    holidays: bool = True


class NoticeSettings(Table):
    """[notices]. `approval_from`: recipients from which on a second official has to approve.

    `most_segments`: of one message; `valid_hours`: how long a queued one is worth sending; `monthly_segments`: an
    agency's budget, `budgets`: of those that have another one, by code, the empty one being the province's own;
    `largest_file` (MiB) and `most_rows` of a file that names an audience.
    """

    approval_from: Count = Field(default=1, ge=1)
    most_segments: Count = Field(default=8, ge=1, le=255)
    valid_hours: Count = Field(default=72, ge=1, le=720)
    monthly_segments: Count | None = Field(default=None, ge=0)
    budgets: dict[str, Annotated[Count, Field(ge=0)]] = Field(default_factory=dict)
    largest_file: Count = Field(default=20, ge=1, le=100)
    most_rows: Count = Field(default=200_000, ge=1, le=1_000_000)


class OpenIdSettings(Table):
    """[console.openid]: the provider that vouches for officials. `issuer`: as it calls itself, to the letter.

    `claim`: what of its word is the name of an account here; `name`: what officials call it, on the button.
    """

    issuer: Issuer
    client_id: str = Field(min_length=1)
    client_secret: SecretStr = SecretStr("")
    claim: str = Field(default="email", min_length=1)
    scope: str = Field(default="openid email profile", pattern=r"^openid\b")
    name: str = Field(default="", max_length=40)

    @model_validator(mode="after")
    def _installed(self) -> Self:
        if find_spec("authlib") is None:
            raise ValueError("needs the package authlib, which is not installed; expected: pip install 'smsgw[oidc]'")
        return self


class ConsoleSettings(Table):
    """[console]. `idle_minutes`: without a request, until one has to sign in again; `session_hours`: at the latest."""

    idle_minutes: Count = Field(default=30, ge=1, le=1440)
    session_hours: Count = Field(default=12, ge=1, le=168)
    openid: OpenIdSettings | None = None


class ReminderSettings(Table):
    """[reminders]. `rules`: a file that changes the shipped ones. `overlap`: seconds of changes that are read again.

    `digest`: the officials' phones by agency code.
    """

    rules: FileName | None = None
    most_a_day: Count = Field(default=3, ge=1, le=50)
    overlap: Count = Field(default=900, ge=60, le=86_400)
    digest: dict[str, tuple[Phone, ...]] = Field(default_factory=dict)


class RetentionSettings(Table):
    """[retention]: for how many days things are kept; 0: for ever.

    `messages`: both ways, from their end; `notices`: their recipients, from the notice's end; `complaints`: from when
    they were closed; `ratings`; `audit`: the log of what officials did, and notices themselves.
    """

    messages: Days = 365
    notices: Days = 365
    complaints: Days = 730
    ratings: Days = 730
    audit: DaysOfLog = 1825


class RouteSettings(Table):
    """[[routes]]: channels for some purposes and numbers, the best one first. `prefixes`: E.164 digits, as 8491."""

    purposes: tuple[Purpose, ...] = Field(default=("reply", "reminder", "notice"), min_length=1)
    channels: tuple[str, ...] = Field(min_length=1)
    prefixes: tuple[Prefix, ...] = ()


class ChannelSettings(BaseModel):
    """[channels.NAME]: what every carrier has; the rest belongs to the provider and stands in `config`.

    `tps`: messages a second that the contract allows; `reply_share`: of it, only for replies; `tariff`: đồng for a
    segment.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    provider: str
    sender: str = Field(min_length=1, max_length=15)
    tps: Number = Field(gt=0)
    batch: Count = Field(default=100, ge=1)
    reply_share: Number = Field(default=0.2, ge=0, lt=1)
    tariff: Count = Field(default=0, ge=0, le=1_000_000)

    def __repr_args__(self) -> Iterator[tuple[str, object]]:
        """The provider's own settings hold secrets that only its `Config` knows of."""
        return ((name, getattr(self, name)) for name in type(self).model_fields)

    def module(self) -> ProviderModule:
        """The provider's module."""
        return providers.load(self.provider)

    def config(self) -> BaseModel:
        """The provider's own settings. Raises ValidationError."""
        return self.module().Config.model_validate(self.model_extra)
