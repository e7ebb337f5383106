"""The command line: each command parses, calls the library function behind it, and prints."""

from longtake.cli import getting, making, showing, using
from longtake.cli.group import main

__all__ = ["getting", "main", "making", "showing", "using"]
