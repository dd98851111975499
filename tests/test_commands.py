"""The command line as its users meet it: processes, real files, exit statuses and one line when it fails."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from smsgw.bench.ports import free_port
from smsgw.clock import utc_now
from smsgw.dispatch import pace
from smsgw.store import channels
from smsgw.store.database import Database
from tests import processes
from tests.kannel import until
from tests.world import NOON, settings_text


class Shell:
    """A folder with settings, and the commands in it."""

    def __init__(self, folder: Path, more: str = "") -> None:
        self.folder = folder
        (folder / "settings.toml").write_text(settings_text(folder, more=more), encoding="utf-8")

    def run(self, *words: str, stdin: str = "", **variables: str) -> CompletedProcess[str]:
        return processes.command(words, self.folder, stdin, variables)

    def json(self, *words: str, stdin: str = "") -> Any:
        done = self.run(*words, "--json", stdin=stdin)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A gateway that is set up and not running."""
    shell = Shell(tmp_path_factory.mktemp("shell"))
    assert shell.run("init").returncode == 0
    assert shell.run("sample", "--dossiers", "200", "--seed", "4", "--today", "2018-08-15").returncode == 0
    return shell


def test_the_sample_says_nothing_but_what_it_made_where_nobody_looks_on(shell: Shell) -> None:
    there = {"SMSGW_ONESTOP__DATABASE": f"sqlite:///{shell.folder}/another.db"}
    done = shell.run("sample", "--dossiers", "50", "--today", "2018-08-15", **there)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("50 dossiers around 2018-08-15 in the sample one-stop database, ")


def test_a_sample_says_how_many_dossiers_it_replaced_and_replaces_nothing_else(shell: Shell) -> None:
    there = {"SMSGW_ONESTOP__DATABASE": f"sqlite:///{shell.folder}/twice.db"}
    words = ("sample", "--today", "2018-08-15", "--dossiers")
    assert len(shell.run(*words, "30", **there).stdout.splitlines()) == 1
    again = shell.run(*words, "40", **there)
    assert again.stdout.splitlines()[1] == "they replaced the 30 dossiers of the sample that was there"
    gateway = shell.folder / "gateway.db"
    before = gateway.read_bytes()
    refused = shell.run(*words, "50", SMSGW_ONESTOP__DATABASE=f"sqlite:///{gateway}")
    assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (1, "", 1)
    assert "which is no part of a sample; name an empty one" in refused.stderr
    assert gateway.read_bytes() == before
    text = (shell.folder / "settings.toml").read_bytes()
    unreadable = shell.run(*words, "50", SMSGW_ONESTOP__DATABASE=f"sqlite:///{shell.folder}/settings.toml")
    assert (unreadable.returncode, len(unreadable.stderr.splitlines())) == (1, 1)
    assert "file is not a database" in unreadable.stderr
    assert (shell.folder / "settings.toml").read_bytes() == text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_sample_that_is_stopped_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    Shell(tmp_path)
    program = [str(Path(sys.executable).with_name("smsgw")), "sample", "--dossiers", "1000000"]
    heeded = partial(signal.signal, number, signal.SIG_DFL)  # who runs the tests in the background has SIGINT ignored
    with subprocess.Popen(
        program, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heeded
    ) as running:
        until(lambda: [*tmp_path.glob(".sample-*/*")], "a file to be begun")
        running.send_signal(number)
        out, _ = running.communicate(timeout=processes.PATIENCE)
    assert (running.returncode != 0, out) == (True, b"")
    assert [file.name for file in tmp_path.iterdir()] == ["settings.toml"]


@pytest.mark.long
def test_a_sample_that_is_to_outlive_its_terminal_does(tmp_path: Path) -> None:
    Shell(tmp_path)
    program = ["nohup", str(Path(sys.executable).with_name("smsgw")), "sample", "--dossiers", "20000"]
    with subprocess.Popen(program, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        until(lambda: [*tmp_path.glob(".sample-*/*")], "a file to be begun")
        running.send_signal(signal.SIGHUP)
        running.communicate(timeout=processes.PATIENCE)
    assert running.returncode == 0


def test_setting_up_twice_is_safe(shell: Shell) -> None:
    again = shell.run("init")
    assert (again.returncode, again.stdout.split(":")[0]) == (0, "checked")


@pytest.mark.parametrize("command", ["outbox", "doubtful", "channel list"])
def test_a_command_before_init_says_so_and_makes_no_database(tmp_path: Path, command: str) -> None:
    done = Shell(tmp_path).run(*command.split())
    assert done.returncode == 1
    assert done.stderr.strip().endswith("is not there: run smsgw init")
    assert not (tmp_path / "gateway.db").exists()


def test_a_look_up_says_what_the_gateway_would_answer_and_sends_nothing(shell: Shell) -> None:
    code = shell.json("report")["by_status"] and _a_code(shell)
    found = shell.json("lookup", code.lower().replace(".", " "))
    assert set(found) == {"code", "found", "status", "text", "encoding", "segments"}
    assert (found["code"], found["found"], found["encoding"], found["segments"]) == (code, True, "gsm7", 1)
    assert found["status"] in range(1, 11)
    assert code in found["text"]
    unknown = shell.json("lookup", "H01.99-180802-0012")
    assert (unknown["code"], unknown["found"], unknown["status"]) == ("H01.99-180802-0012", False, None)
    assert sum(shell.json("outbox")["states"].values()) == 0
    assert shell.run("lookup", code).stdout.strip() == found["text"]


def _a_code(shell: Shell) -> str:
    from smsgw.dossiers import sample

    return sample.examples(f"sqlite:///{shell.folder}/onestop.db")[3].code


def test_the_size_of_texts_is_told(shell: Shell) -> None:
    assert shell.json("segments", "Ho so") == {"encoding": "gsm7", "units": 5, "segments": 1, "remaining": 155}
    lines = shell.run("segments", "--jsonl", "-", "--json", stdin='"Hồ sơ"\n"a"\n').stdout.splitlines()
    assert [json.loads(line)["encoding"] for line in lines] == ["ucs2", "gsm7"]
    wrong = shell.run("segments", "--jsonl", "-", stdin="no json\n")
    assert wrong.returncode == 1
    assert "line 1: expected one JSON string" in wrong.stderr
    assert shell.run("segments").returncode == 2
    (shell.folder / "latin").write_bytes(b'"\xe0"\n')
    unreadable = shell.run("segments", "--jsonl", "latin")
    assert (unreadable.returncode, unreadable.stderr) == (1, "smsgw: latin: expected UTF-8\n")


def test_a_command_begins_without_what_it_does_not_use() -> None:
    told = (
        "import sys\n"
        "from smsgw.cli.main import commands\n"
        "commands(['segments', 'Ho so'], standalone_mode=False)\n"
        "print(sorted({'sqlalchemy', 'flask', 'pydantic', 'openpyxl'} & sys.modules.keys()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, timeout=processes.PATIENCE, check=False
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_texts_that_are_no_text_are_measured_too(shell: Shell) -> None:
    halves = shell.run("segments", "--jsonl", "-", stdin='"a\\ud800"\n')
    assert (halves.returncode, halves.stdout) == (0, "1 x ucs2, 2 units, 68 left: a\ufffd\n")


def test_a_folder_that_cannot_be_made_is_named(shell: Shell) -> None:
    refused = shell.run("init", SMSGW_GATEWAY__DATABASE="sqlite:////proc/none/gateway.db")
    assert refused.returncode == 1
    assert refused.stderr == "smsgw: /proc/none: No such file or directory\n"


def test_a_list_with_nothing_in_it_says_so(tmp_path: Path) -> None:
    empty = Shell(tmp_path)
    assert empty.run("init").returncode == 0
    for command in ("channel list", "user list", "voice list", "reminders runs"):
        done = empty.run(*command.split())
        assert (done.returncode, done.stdout[:3], done.stdout.count("\n")) == (0, "no ", 1), command


def test_the_outbox_is_told_in_figures(shell: Shell) -> None:
    shown = shell.json("outbox")
    assert shown["states"]["queued"] == 0
    assert shown["oldest_queued_seconds"] == 0
    assert isinstance(shown["channels"], dict)


def test_the_report_has_the_figures_of_a_period(shell: Shell) -> None:
    whole = shell.json("report")
    july = shell.json("report", "--from", "2018-07-01", "--to", "2018-07-31")
    assert whole["received"] == 200
    assert whole["ahead_of_time_percent"] == pytest.approx(80, abs=1)
    assert 0 < july["received"] < 200
    assert shell.run("report", "--from", "2018-08-01", "--to", "2018-07-01").returncode == 2
    assert "received" in shell.run("report").stdout


@pytest.mark.parametrize(
    ("words", "variables", "told"),
    [
        (("--config", "none.toml", "outbox"), {}, "none.toml: can't be read"),
        (("outbox",), {"SMSGW_GATWAY__X": "1"}, "SMSGW_GATWAY__X: no such setting"),
        (("outbox",), {"SMSGW_GATEWAY__DATABASE": "sqlite:///other.db"}, "run smsgw init"),
        (("lookup", "x"), {"SMSGW_ONESTOP__DATABASE": "sqlite:///none.db"}, ""),
        (("lookup", "H01.1-180802-1"), {"SMSGW_ONESTOP__DATABASE": "sqlite:///none.db"}, "one-stop database refuses"),
        (("report",), {"SMSGW_ONESTOP__DATABASE": "sqlite:///none.db"}, "check onestop.database"),
        (("lookup", "x"), {"SMSGW_ANSWERS__WORDING": ""}, "Is a directory; answers.wording names that file"),
        (("reminders", "list"), {"SMSGW_REMINDERS__RULES": "no.toml"}, "directory; reminders.rules names that file"),
        (("report",), {"SMSGW_ONESTOP__DATABASE": "mysql+nothere://x"}, "expected a database URL"),
        (("report",), {"SMSGW_ONESTOP__DATABASE": "oracle://x/y"}, "the driver of this database is not installed"),
        (("sample",), {"SMSGW_ONESTOP__DATABASE": "postgresql://u@127.0.0.1:9/x"}, "check onestop.database"),
        (("init",), {"SMSGW_GATEWAY__DATABASE": "sqlite:////proc/no/x.db"}, "No such file or directory"),
        (("outbox",), {"SMSGW_GATEWAY__DATABASE": "sqlite:///settings.toml"}, "file is not a database"),
        (("text", "HELP", "--from", "0912345678"), {}, "start it with smsgw simulator"),
        (("outbox",), {"SMSGW_GATEWAY__DATABASE": "postgresql://u@127.0.0.1:9/x"}, "can't be used"),
        (
            ("init",),
            {"SMSGW_GATEWAY__DATABASE": "sqlite:///\udcff.db"},
            "SMSGW_GATEWAY__DATABASE: expected a text in UTF-8",
        ),
        (
            ("serve",),
            {"SMSGW_CHANNELS__SMS__SECRET": "\udcff"},
            "SMSGW_CHANNELS__SMS__SECRET: expected a text in UTF-8",
        ),
        (("serve",), {"SMSGW_WEB__BIND": "\udcff:8080"}, "SMSGW_WEB__BIND: expected a text in UTF-8"),
        (("outbox",), {"SMSGW_ROUTES": '[{"channels": ["none"]}]'}, "SMSGW_ROUTES: routes.0.channels: none: no such"),
    ],
)
def test_a_failure_is_one_line_that_says_what_to_do(
    shell: Shell, words: tuple[str, ...], variables: dict[str, str], told: str
) -> None:
    failed = shell.run(*words, **variables)
    assert failed.returncode == (1 if told else 0)
    assert told in failed.stderr
    assert "Traceback" not in failed.stderr
    if told:
        assert len(failed.stderr.splitlines()) == 1
        assert failed.stderr.startswith("smsgw: ")


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("lookup",),
        ("text", "x"),
        ("text", "x", "--from", "8188"),
        ("text", "x", "--from", "+14155550123"),
        ("serve", "--roles", "cook"),
        ("sample", "--today", "9999-12-31"),
        ("report", "--from", "0001-01-01"),
        ("report", "--to", "yesterday"),
        ("demo", "--port", "0"),
        ("sample", "--dossiers", "9" * 20),
        ("voice", "answer", "9" * 20, "x"),
        ("voice", "close", str(2**31)),
        ("bench", "--database", "x"),
        ("bench", "--database", "sqlite:///x.db"),
        ("channel", "pause", "sms", "--reason", "\udcff"),
        ("channel", "pause", "sms", "--reason", " "),
        ("channel", "test", "sms", "--to", "0912345678", "--text", ""),
        ("channel", "test", "sms", "--to", "02963123456"),
        ("reminders", "off", "received", "--agency", ""),
        ("user", "add", "bay", "--role", "viewer", "--no-password", "--agency", "\udcff"),
    ],
)
def test_wrong_usage_has_a_status_of_its_own(shell: Shell, words: tuple[str, ...]) -> None:
    wrong = shell.run(*words)
    assert wrong.returncode == 2
    assert "Traceback" not in wrong.stderr


def test_the_demonstration_ends_with_the_right_answer_in_any_folder(tmp_path: Path) -> None:
    folder = "thử #1? 100%41"
    words = ["demo", "--once", "--port", str(free_port()), "--simulator-port", str(free_port()), "--data", folder]
    program = [str(Path(sys.executable).with_name("smsgw")), *words]
    Shell(tmp_path)
    shown = subprocess.run(
        program, cwd=tmp_path, capture_output=True, text=True, timeout=processes.PATIENCE, check=False
    )
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert any(" > hs h01" in line or " > hs 000" in line for line in lines)
    assert any(" < Ho so " in line for line in lines)
    assert (shown.stderr, {path.name for path in tmp_path.iterdir()}) == ("", {folder, "settings.toml"})
    assert {path.name for path in (tmp_path / folder).iterdir()} > {"gateway.db", "onestop.db", "secret_key"}


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_who_is_told_to_stop_while_it_starts_stops_in_order(tmp_path: Path, number: signal.Signals) -> None:
    words = ["demo", "--port", str(free_port()), "--simulator-port", str(free_port()), "--data", "data"]
    program = [str(Path(sys.executable).with_name("smsgw")), *words]
    Shell(tmp_path)
    with subprocess.Popen(program, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        until((tmp_path / "data").exists, "it to begin")
        running.send_signal(number)
        out, err = running.communicate(timeout=processes.PATIENCE)
    assert (running.returncode, err) == (0, "")
    assert "Ctrl-C stops everything." in out


def test_an_address_that_is_taken_is_said_to_be(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        shell = Shell(tmp_path, f'[web]\nbind = "127.0.0.1:{port}"')
        failed = shell.run("serve")
        simulator = shell.run("simulator", SMSGW_CHANNELS__SMS__URL=f"http://127.0.0.1:{port}")
        demo = shell.run("demo", "--once", "--port", str(port), "--simulator-port", str(free_port()), "--data", "data")
    said = f"smsgw: can't listen on 127.0.0.1:{port}: Address already in use; choose another address"
    assert (failed.returncode, failed.stderr) == (1, f"{said} by web.bind in the settings\n")
    assert (simulator.returncode, simulator.stderr) == (1, f"{said} by the channel's url in the settings\n")
    assert (demo.returncode, demo.stderr) == (1, f"{said} by --port or --simulator-port\n")


def test_a_signal_stops_it_whichever_thread_it_is_given_to() -> None:
    told = (
        "import signal, threading\n"
        "from smsgw.serve import Stop\n"
        "def tell():\n"
        "    while signal.getsignal(signal.SIGINT) is signal.default_int_handler:\n"
        "        ready.wait(0.01)\n"
        "    ready.wait(0.3)\n"
        "    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)\n"
        "    ready.wait()\n"
        "ready = threading.Event()\n"
        "threading.Thread(target=tell, daemon=True).start()\n"
        "Stop().wait()\n"
        "print('stopped')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, timeout=processes.PATIENCE, check=False
    )
    assert done.stdout == "stopped\n"


def test_whoever_turns_a_rule_off_in_an_agency_that_has_no_dossiers_is_told_so(shell: Shell) -> None:
    done = shell.run("reminders", "off", "received", "--agency", "h01.21.10")
    assert (done.returncode, done.stdout) == (0, "received: off in h01.21.10\n")
    assert done.stderr.startswith(
        "smsgw: received is off, but the agency h01.21.10 has no dossiers; nearest are H01.21.10"
    )
    assert shell.run("reminders", "off", "received", "--agency", "H01.21.10").stderr == ""


def test_a_channel_is_paused_and_released_with_a_reason(shell: Shell) -> None:
    database = Database(f"sqlite:///{shell.folder}/gateway.db")
    with database.writing("test") as connection:
        channels.ensure(connection, "sms", NOON)
    database.close()
    assert shell.run("channel", "pause", "sms", "--reason", "test").returncode == 0
    assert shell.json("channel", "list")["sms"]["state"] == "paused"
    assert shell.run("channel", "release", "sms").returncode == 0


def test_what_a_carrier_asked_us_to_wait_is_told_and_ends_by_a_release(shell: Shell) -> None:
    database, now = Database(f"sqlite:///{shell.folder}/gateway.db"), utc_now()
    with database.writing("test") as connection:
        channels.ensure(connection, "sms", now)
        before = channels.lock(connection, "sms")
        channels.write(connection, before, pace.slowed(before, 3600, now), now)
    assert "  waits as its carrier asked until " in shell.run("channel", "list").stdout
    assert "channel sms: open, waits as its carrier asked until " in shell.run("outbox").stdout
    assert shell.run("channel", "release", "sms").returncode == 0
    assert "waits" not in shell.run("channel", "list").stdout
    database.close()
