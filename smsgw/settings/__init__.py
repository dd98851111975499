"""Settings: `settings.toml`, overridden by SMSGW_ variables. All that is wrong in them is refused at start, at once."""

from smsgw.settings.faults import PREFIX
from smsgw.settings.load import Settings, SettingsError, load, secret_key, secret_key_file
from smsgw.settings.tables import (
    AnswerSettings,
    ChannelSettings,
    ConsoleSettings,
    GatewaySettings,
    NoticeSettings,
    OneStopSettings,
    OpenIdSettings,
    QuietHours,
    ReminderSettings,
    RetentionSettings,
    RouteSettings,
    WebSettings,
)

__all__ = [
    "PREFIX",
    "AnswerSettings",
    "ChannelSettings",
    "ConsoleSettings",
    "GatewaySettings",
    "NoticeSettings",
    "OneStopSettings",
    "OpenIdSettings",
    "QuietHours",
    "ReminderSettings",
    "RetentionSettings",
    "RouteSettings",
    "Settings",
    "SettingsError",
    "WebSettings",
    "load",
    "secret_key",
    "secret_key_file",
]
