"""The command that says what is wrong: doctor."""

from __future__ import annotations

import click

from smsgw import checkup
from smsgw.cli.common import CommandFailed, Context, as_json, print_json


@click.command()
@as_json
@click.pass_obj
def doctor(context: Context, as_json: bool) -> None:
    """Check configuration, databases, channels and clock; say how to mend what is wrong."""
    findings = checkup.examine(context.settings)
    if as_json:
        print_json({"ok": all(finding.ok for finding in findings), "checks": findings})
    else:
        for finding in findings:
            click.echo(
                f"{'ok  ' if finding.ok else 'FAIL'} {finding.what}{': ' if finding.detail else ''}{finding.detail}"
            )
    if faults := [finding.what for finding in findings if not finding.ok]:
        raise CommandFailed(f"not well: {', '.join(faults)}; what to do stands with each")
