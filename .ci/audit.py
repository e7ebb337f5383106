"""Whether a pinned package has a known vulnerability, by pip-audit, which asks PyPI; it says what it could not ask.

    make audit

Exit status: 0 for none known of any package, 1 for some, 2 where not all could be asked about.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LISTS = Path(__file__).resolve().parents[1] / "requirements"
PATIENCE_S = 600


def ask(tool: str, file: Path) -> list[dict[str, Any]]:
    """Return what is told of each package of a list; of all of them that nothing is, where nobody answers."""
    command = [tool, "--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json", "-r", str(file)]
    done = subprocess.run(  # noqa: S603  # the tool that the Makefile installed
        command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        lines = [line.partition("#")[0].strip() for line in file.read_text().splitlines()]
        found = [{"name": line.partition("==")[0], "skip_reason": said} for line in lines if line]
    return found


def main(tool: str) -> int:
    """Ask about all lists; print what is known, and of whom nothing."""
    told: dict[str, dict[str, Any]] = {}
    for file in sorted(LISTS.glob("*.txt")):
        for package in ask(tool, file):
            told[package["name"].lower()] = package
    bad = {name: package for name, package in told.items() if package.get("vulns")}
    unknown = {name: package["skip_reason"] for name, package in told.items() if "skip_reason" in package}
    for name, package in sorted(bad.items()):
        for found in package["vulns"]:
            mended = ", ".join(found["fix_versions"]) or "no version yet"
            print(f"{name} {package['version']}: {found['id']}, mended in {mended}")
    asked = len(told) - len(unknown)
    print(f"{asked} of {len(told)} pinned packages looked up: {len(bad)} of them with known vulnerabilities.")
    if unknown:
        reasons = sorted(set(unknown.values()))
        print(f"NOT looked up: {len(unknown)}, such as {', '.join(sorted(unknown)[:3])} ({reasons[0]}).")
        print("Where PyPI can't be reached nothing is known of them: call this again where it can.")
    return 1 if bad else 2 if unknown else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
