"""Settings are refused at start with file, key and what was expected; secrets are never shown."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from smsgw.resources import shipped
from smsgw.settings import SettingsError, load, secret_key
from tests.world import SECRET, TOKEN, settings_text

FILE = Path("settings.toml")


def faults(text: str) -> str:
    with pytest.raises(SettingsError) as refused:
        load(FILE, text)
    return str(refused.value)


def test_the_shipped_settings_are_right_and_are_those_of_the_checkout() -> None:
    settings = load(FILE, shipped("settings.toml"))
    assert settings.channels["sms"].sender == "8188"
    assert shipped("settings.toml") == (Path(__file__).parent.parent / "settings.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("[gateway]", "[gateway]\ndatabaze = 1", "settings.toml: gateway.databaze: no such key"),
        ("[gateway]", "[gatway]\n[gateway]", "settings.toml: gatway: no such key"),
        ('token = "test-token"', "", "settings.toml: channels.sms.token: is missing"),
        ('sender = "8188"', "", "settings.toml: channels.sms.sender: is missing"),
        ("tps = 1000", 'tps = "fast"', "settings.toml: channels.sms.tps: expected a number"),
        ("tps = 1000", "tps = 0", "settings.toml: channels.sms.tps: expected greater than 0"),
        ("batch = 100", "bach = 100", "settings.toml: channels.sms.bach: no such key"),
        ('provider = "aggregator"', 'provider = "kanel"', "channels.sms.provider: there is no provider 'kanel'"),
        ('provider = "aggregator"', 'provider = "os"', "channels.sms.provider: there is no provider 'os'"),
        ('url = "http://127.0.0.1:9"', 'url = "nowhere"', "channels.sms.url: expected a URL, such as http://"),
        ("[gateway]", '[gateway]\ntimezone = "Mars"', "gateway.timezone: expected the name of a time zone"),
        ("[gateway]", '[quiet_hours]\nstart = "25:00"\n[gateway]', "quiet_hours.start: expected an hour"),
        ("[gateway]", '[web]\nbind = "8080"\n[gateway]', "web.bind: expected HOST:PORT"),
        ("[gateway]", '[web]\ntrusted_proxy = "nginx"\n[gateway]', "web.trusted_proxy: expected the proxy's address"),
        ("[gateway]", '[web]\ntrusted_proxy = "*"\n[gateway]', "web.trusted_proxy: expected the proxy's address"),
        ("[gateway]", '[words]\nhelp = ["a b c d e"]\n[gateway]', "words: help: 'A B C D E' must have one to 4 words"),
        ("[gateway]", '[words]\nhelp = ["EN"]\n[gateway]', "words: english: 'EN' stands for help already"),
        ("[gateway]", "[words]\nhelpp = []\n[gateway]", "words.helpp: no such key"),
        ("[gateway]", '[web]\nshare_port = "yes"\n[gateway]', "web.share_port: expected true or false, without quotes"),
        (
            "[gateway]",
            '[web]\nshare_port = "maybe"\n[gateway]',
            "settings.toml: web.share_port: expected true or false",
        ),
        ("[gateway]", "[web]\nshare_port = 1\n[gateway]", "web.share_port: expected true or false, without quotes"),
        (
            "[gateway]",
            "[routes]\nchannels = []\n[gateway]",
            "settings.toml: routes: expected tables that begin with [[r",
        ),
        ("[gateway]", "[[routes]]\nchannels = []\n[gateway]", "routes.0.channels: expected at least one"),
        ("[gateway]", '[[routes]]\nchannels = ["sms"]\nprefixes = ["091"]\n[gateway]', "such as 8491 for 091"),
        ("[gateway]", '[[routes]]\nchannels = ["sms"]\npurposes = []\n[gateway]', "purposes: expected at least one"),
        ("[gateway]", "[retention]\nmessages = 36501\n[gateway]", "retention.messages: expected at most 36500 days"),
        (
            "[gateway]",
            "[notices]\nmonthly_segments = 10000000000\n[gateway]",
            "monthly_segments: expected less than or",
        ),
        ("tps = 1000", "tps = true", "settings.toml: channels.sms.tps: expected a number"),
        ("tps = 1000", 'tps = "10"', "settings.toml: channels.sms.tps: expected a number, without quotes"),
        ("tps = 1000", "tps = inf", "settings.toml: channels.sms.tps: expected a number that is finite"),
        ("time_limit = 5", 'time_limit = "5"', "settings.toml: onestop.time_limit: expected a number, without quotes"),
        ("[gateway]", "gateway = 3\n[answers]", "settings.toml: gateway: expected a table"),
        ("[channels.sms]", "[channels]\n[web]", "settings.toml: channels: expected at least one table"),
        ('token = "test-token"', 'token = ""', "settings.toml: channels.sms.token: expected some text"),
        (
            "[gateway]",
            '[channels.f]\nprovider = "fpt"\nsender = "8188"\ntps = 1\nreceipt_key = "short"\n[gateway]',
            "channels.f.receipt_key: expected at least 8 characters",
        ),
        (
            "[gateway]",
            '[channels.s]\nprovider = "smpp"\nsender = "8188"\ntps = 1\npassword = "too-long-"\n[gateway]',
            "channels.s.password: expected at most 8 characters",
        ),
        ("[gateway]", '[web]\nbind = "127.0.0.1:²"\n[gateway]', "web.bind: expected HOST:PORT"),
        ("[gateway]", '[quiet_hours]\nstart = "21:00+07:00"\n[gateway]', "quiet_hours.start: expected an hour"),
        ("[gateway]", '[answers]\nhotline = ""\n[gateway]', "answers.hotline: expected at least 3 characters"),
        ("[gateway]", '[words]\nhelp = "HD"\n[gateway]', "words.help: expected a list of texts"),
        ("[gateway]", '[words]\nhelp = ["1"]\n[gateway]', "words: help: '1' is the number of an option"),
        ("[gateway]", "[words]\nlook_up = []\n[gateway]", "words: look_up: needs at least one word"),
        ("[channels.sms]", "[channels.S M S]", "settings.toml: is no TOML"),
        ("[channels.sms]", '[channels."S M S"]', "channels.S M S: expected a lower-case letter, then"),
    ],
)
def test_a_wrong_key_type_or_value_is_named(tmp_path: Path, before: str, after: str, fault: str) -> None:
    assert fault in faults(settings_text(tmp_path).replace(before, after, 1))


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    text = settings_text(tmp_path).replace("tps = 1000", "").replace("[gateway]", "[gateway]\nx = 1")
    assert len(faults(text).splitlines()) == 2


def test_a_database_that_the_gateway_cannot_use_is_refused(tmp_path: Path) -> None:
    assert "gateway.database: expected" in faults(settings_text(tmp_path, "mysql://localhost/x"))
    assert "gateway.database: expected" in faults(settings_text(tmp_path, "nonsense"))
    assert "gateway.database: expected" in faults(settings_text(tmp_path, "postgresql+psycopg://u:p@host:port/x"))
    assert "gateway.database: expected a file" in faults(settings_text(tmp_path, "sqlite://"))
    text = settings_text(tmp_path).replace(f"sqlite:///{tmp_path}/onestop.db", "mysql+pymysql://u:hush@host/x")
    assert "onestop.database: the driver of this database is not installed (module" in faults(text)
    assert "hush" not in faults(text)


@pytest.mark.parametrize("name", ["gateway", "onestop"])
def test_an_option_that_a_database_does_not_take_is_refused(tmp_path: Path, name: str) -> None:
    for option in ("timeout=abc", "foo=1"):
        text = settings_text(tmp_path).replace(f"{name}.db", f"{name}.db?{option}")
        assert f"{name}.database: an option behind the ? is none that its driver takes" in faults(text)


def test_a_file_uri_opens_the_one_stop_database_and_not_ours(tmp_path: Path) -> None:
    text = settings_text(tmp_path).replace(f"sqlite:///{tmp_path}", f"sqlite:///file:{tmp_path}")
    assert faults(text).endswith(
        "gateway.database: expected the name of a file and no file: URI, such as sqlite:///var/gateway.db"
    )


def test_the_name_of_a_file_has_no_sign_that_none_has(tmp_path: Path) -> None:
    text = settings_text(tmp_path) + '[reminders]\nrules = "a\\u0000b"\n'
    assert faults(text).endswith("reminders.rules: expected the name of a file, in quotes")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(SettingsError, match=r"none\.toml: can't be read"):
        load(Path("none.toml"))


def test_a_variable_outranks_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSGW_CHANNELS__SMS__TPS", "7")
    monkeypatch.setenv("SMSGW_GATEWAY__DATABASE", "sqlite:///elsewhere.db")
    settings = load(FILE, settings_text(tmp_path))
    assert settings.channels["sms"].tps == 7
    assert settings.gateway.database == "sqlite:///elsewhere.db"


def test_a_channels_own_text_may_be_digits_in_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for token in ("12345678", "1e5", "true", '"quoted"'):
        monkeypatch.setenv("SMSGW_CHANNELS__SMS__TOKEN", token)
        config: Any = load(FILE, settings_text(tmp_path)).channels["sms"].config()
        assert config.token.get_secret_value() == token
    monkeypatch.setenv("SMSGW_CHANNELS__SMS__TIME_LIMIT", "true")
    assert faults(settings_text(tmp_path)) == "SMSGW_CHANNELS__SMS__TIME_LIMIT: expected a number"


def test_an_agency_in_the_name_of_a_variable_keeps_its_letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSGW_NOTICES__BUDGETS__H01", "100")
    monkeypatch.setenv("SMSGW_REMINDERS__DIGEST__H01.28", '["0912345678"]')
    settings = load(FILE, settings_text(tmp_path))
    assert settings.notices.budgets == {"H01": 100}
    assert settings.reminders.digest == {"H01.28": ("84912345678",)}


def test_unknown_and_wrong_variables_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSGW_GATWAY__DATABASE", "x")
    monkeypatch.setenv("SMSGW_GATEWAY__DATABAZE", "x")
    monkeypatch.setenv("SMSGW_CHANNELS__SMS__TPS", "many")
    told = faults(settings_text(tmp_path))
    assert "SMSGW_GATWAY__DATABASE: no such setting" in told
    assert "SMSGW_GATEWAY__DATABAZE: no such key" in told
    assert "SMSGW_CHANNELS__SMS__TPS: expected a number" in told


def test_lists_in_variables_are_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSGW_WORDS__HELP", '["HD", "TRO GIUP"]')
    monkeypatch.setenv("SMSGW_REMINDERS__DIGEST", '{"H01.12": ["0912345678"]}')
    monkeypatch.setenv("SMSGW_ROUTES", '[{"channels": ["sms"]}]')
    settings = load(FILE, settings_text(tmp_path))
    assert settings.words.help == ("HD", "TRO GIUP")
    assert settings.reminders.digest == {"H01.12": ("84912345678",)}
    assert settings.routes[0].channels == ("sms",)
    monkeypatch.setenv("SMSGW_WORDS__HELP", "[HD")
    assert "SMSGW_WORDS__HELP: expected a list of texts, such as" in faults(settings_text(tmp_path))


def test_a_wrong_variable_is_named_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("smsgw_gateway__databaze", "x")
    monkeypatch.setenv("SMSGW_CHANNELS__ZALO__TOKEN", "x")
    monkeypatch.setenv("SMSGW_GATEWAY__TIMEZONE__X", "x")
    told = faults(settings_text(tmp_path))
    assert "smsgw_gateway__databaze: no such key" in told
    assert "SMSGW_CHANNELS__ZALO__TOKEN: channels.zalo.provider: is missing" in told
    assert "SMSGW_GATEWAY__TIMEZONE__X: gateway.timezone: expected a text" in told


def test_a_table_in_one_variable_has_to_be_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSGW_CHANNELS", '{"sms": {"secret": "hush"')
    told = faults(settings_text(tmp_path))
    assert told.startswith("SMSGW_CHANNELS: expected a table as JSON")
    assert "hush" not in told


def test_secrets_are_never_printed(tmp_path: Path) -> None:
    settings = load(FILE, settings_text(tmp_path))
    channel = settings.channels["sms"]
    shown = f"{settings!r} {settings} {channel!r} {channel.config()!r}"
    assert TOKEN not in shown
    assert SECRET not in shown
    assert SECRET not in faults(settings_text(tmp_path).replace("tps = 1000", f'tps = "{SECRET}"'))


def test_the_secret_key_is_made_once_and_kept_for_its_owner_only(tmp_path: Path) -> None:
    settings = load(FILE, settings_text(tmp_path))
    key = secret_key(settings)
    assert len(key) >= 32
    assert secret_key(settings) == key
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_a_secret_key_that_a_power_failure_left_empty_is_not_signed_with(tmp_path: Path) -> None:
    (tmp_path / "secret_key").touch()
    with pytest.raises(SettingsError, match=r"secret_key: is empty; remove it"):
        secret_key(load(FILE, settings_text(tmp_path)))


def test_words_are_settings(tmp_path: Path) -> None:
    text = settings_text(tmp_path).replace("[gateway]", '[words]\nlook_up = ["Hồ sơ", "AG"]\n[gateway]')
    assert load(FILE, text).words.look_up == ("HO SO", "AG")


def test_what_a_text_has_to_look_like_is_said_in_words(tmp_path: Path) -> None:
    texts = 'app_secret = "s"\noa_secret = "s"\nrefresh_token = "r"'
    zalo = f'[channels.zalo]\nprovider = "zalo"\nsender = "Zalo"\ntps = 1\napp_id = "no 1"\n{texts}'
    told = "settings.toml: channels.zalo.app_id: expected digits, and nothing else"
    assert faults(settings_text(tmp_path, more=zalo)) == told
    openid = '[console.openid]\nissuer = "https://id.example"\nclient_id = "c"\nscope = "email"'
    told = "settings.toml: console.openid.scope: expected words of which the first one is openid"
    assert faults(settings_text(tmp_path, more=openid)) == told


def test_an_address_for_receipts_that_the_carrier_would_cut_off_is_refused(tmp_path: Path) -> None:
    channel = f"""
[channels.vonage]
provider = "vonage"
sender = "AnGiang"
tps = 1
api_key = "a1b2"
api_secret = "sec-2290"
key = "key-660144"
callback_url = "https://{"gateway." * 10}vn/carrier/vonage"
"""
    assert "channels.vonage: " in (told := faults(settings_text(tmp_path, more=channel)))
    assert "callback_url and key, has 129 characters; expected at most 100" in told
    assert "key-660144" not in told
