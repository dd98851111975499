"""What the papers say is what there is: every setting and every command is explained, every link leads somewhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import click
import pytest
from hatchling.builders.sdist import SdistBuilder

from providers import aggregator, zalo
from smsgw.answers.words import Words
from smsgw.cli.main import commands
from smsgw.settings import (
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
    WebSettings,
)

ROOT = Path(__file__).parent.parent
PAPERS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
TABLES = (
    GatewaySettings,
    WebSettings,
    OneStopSettings,
    AnswerSettings,
    QuietHours,
    NoticeSettings,
    ConsoleSettings,
    ReminderSettings,
    RetentionSettings,
    ChannelSettings,
    OpenIdSettings,
    aggregator.Config,
    zalo.Config,
)
COMMANDS = set(commands.list_commands(click.Context(commands)))


def test_every_setting_is_explained() -> None:
    paper = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    keys = [name for table in TABLES for name in table.model_fields] + [field.name for field in fields(Words)]
    assert not [key for key in keys if f"`{key}`" not in paper]


def test_every_key_of_a_reminders_rule_is_explained() -> None:
    paper = (ROOT / "docs/reminders.md").read_text(encoding="utf-8")
    shipped = tomllib.loads((ROOT / "smsgw/reminders/rules.toml").read_text(encoding="utf-8"))
    keys = {key for rule in shipped.values() for key in rule} | {"templates"}
    assert not [key for key in sorted(keys) if not re.search(rf"^\| .*`{key}`.* \|", paper, re.MULTILINE)]


def test_every_command_is_explained() -> None:
    paper = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    assert not [name for name in COMMANDS if f"| `{name}" not in paper]


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(paper: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", paper.read_text(encoding="utf-8"))
    assert not [link for link in links if not (paper.parent / link).exists()]


def test_the_readme_names_commands_that_there_are() -> None:
    named = set(re.findall(r"^\./run (\w+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert named - {"test", "setup"} <= COMMANDS
    assert {"demo", "test"} <= named


def test_who_has_the_source_as_a_package_has_all_that_the_papers_name() -> None:
    packed = {Path(file.distribution_path) for file in SdistBuilder(str(ROOT)).recurse_included_files()}
    named = ("run", ".ci/run", "CONTRIBUTING.md", "requirements/README.md", "requirements/test.txt")
    assert {Path(path) for path in named} <= packed


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd to ask")
def test_the_unit_of_the_service_is_one_that_systemd_takes(tmp_path: Path) -> None:
    (unit,) = re.findall(r"```ini\n(.*?)```", (ROOT / "docs/operating.md").read_text(encoding="utf-8"), re.DOTALL)
    program = Path(sys.executable).with_name("smsgw")
    file = tmp_path / "smsgw.service"
    file.write_text(unit.replace("/opt/smsgw/.venv/bin/smsgw", str(program)))
    done = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, check=False)
    assert (done.returncode, "smsgw.service" in done.stderr) == (0, False), done.stderr
    file.write_text(file.read_text().replace("UMask=0077", "UMask=all"))
    done = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, check=False)
    assert "smsgw.service" in done.stderr
