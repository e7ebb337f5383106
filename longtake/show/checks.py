"""What was looked into: this machine, and what a set holds."""

from collections.abc import Sequence

from rich.text import Text

from longtake.doctor import Finding
from longtake.hashing import SetHash
from longtake.show.words import console, count


def findings(found: Sequence[Finding]) -> None:
    """Print what the doctor found."""
    out = console()
    for finding in found:
        mark = "[green]ok[/]  " if finding.ok else "[red]look[/]"
        out.print(f"{mark} {finding.what:<10}", end="")
        out.print(finding.found, markup=False)


def hashes(found: SetHash, other: SetHash | None) -> None:
    """Print a set's hashes, or in which tables it differs from another set."""
    for name, value in found.tables.items():
        print(f"{value}  {name} ({count(found.rows[name], 'row')})")
    print(f"{found.whole}  the set")
    if other:
        tables = sorted({name for name, _ in found.tables.items() ^ other.tables.items()})
        out = console()
        out.print(
            Text(f"{other.folder} differs in: {', '.join(tables)}" if tables else f"{other.folder} holds the same")
        )
