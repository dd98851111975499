"""The command line: `smsgw --config FILE COMMAND`."""

from smsgw.cli.main import main

__all__ = ["main"]
