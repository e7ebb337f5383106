"""Write the pages that are made from the code: docs/steps.md and docs/commands.md. A test checks that they are fresh.

python docs/generate.py
"""

from pathlib import Path

import click

from longtake import steps
from longtake.cli import main as cli

HERE = Path(__file__).parent
FIRST = {
    "signals": "Measured in the one scan of a video and stored: a time series each.",
    "shots": "Detectors: from a signal to the transitions between shots. Arithmetic, no decode.",
    "voters": "Who says of each transition whether what it parts belongs together, for clips that join shots.",
    "clips": "From shots to clips. Arithmetic, no decode.",
    "scores": "From the rows of a signal inside a clip to named numbers that rules can ask for. Arithmetic, no decode.",
    "judges": "Questions to a model about a clip, answered with numbers that rules can ask for.",
    "exports": "From a set to the formats people train on: `longtake export SET NAME --to FOLDER`.",
    "grounding": "From captions to spans: where each holds, and a stretch around in which it holds nowhere else.",
    "captions": "From a kept clip to texts about it. Those that ask a model wait until one is named.",
}


def steps_page() -> str:
    lines = ["# Steps", "", "Made from the code by `docs/generate.py`. `longtake steps NAME` prints the same.", ""]
    for kind in steps.KINDS:
        lines += [f"## {kind.title()}", "", FIRST[kind], ""]
        for name in steps.names(kind):
            step = steps.find(kind, name)
            lines += [f"### {kind}/{name}", "", "```text", *step.doc.splitlines(), "```", ""]
            lines += [f"- parameter `{key}` = `{steps.told(value)}`" for key, value in step.defaults.items()]
            lines += [f"- reads the signal `{step.signal}`"] if step.signal else []
            told = ", ".join(f"`{name}`" for name in step.signals)
            lines += [f"- is told of the signals {told}"] if told else []
            lines += ["- asks a model"] if step.asks else []
            lines += [f"- needs `{package}`" for package in step.needs.values()]
            lines += [f"- version {step.version}", ""]
    return "\n".join(lines)


def commands_page() -> str:
    lines = ["# Commands", "", "Made from the code by `docs/generate.py`.", ""]
    commands = sorted(cli.commands.items())
    pages = [("longtake", cli, None), *((name, command, "longtake") for name, command in commands)]
    for name, command, parent in pages:
        above = click.Context(cli, info_name=parent) if parent else None
        looks = {"max_content_width": 100, "terminal_width": 100, "help_option_names": ["-h", "--help"]}
        context = click.Context(command, info_name=name, parent=above, **looks)
        title = f"{parent} {name}" if parent else name
        lines += [f"## {title}", "", "```text", command.get_help(context), "```", ""]
    return "\n".join(lines)


PAGES = {"steps.md": steps_page, "commands.md": commands_page}


def main() -> None:
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")
        print(HERE / name)


if __name__ == "__main__":
    main()
