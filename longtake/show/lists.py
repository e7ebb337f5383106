"""What there is: shots of videos, recipes, steps."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from longtake import recipe as recipe_module
from longtake import steps as steps_module
from longtake.errors import UsageError
from longtake.show.words import console, count, length


def shots(found: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print the transitions and shots of videos."""
    if as_json:
        print(json.dumps(found, indent=1))
        return
    out, errors = console(), console(stderr=True)
    for video in found:
        name = Text(video["video"])
        if "failure" in video:
            words = video["failure"]["message"].removeprefix(f"{video['video']}: ")
            errors.print(name, Text(f"failed: {words}", "red"))
            continue
        parts = [(video["shots"], "shot"), (video["transitions"], "transition")]
        words = ", ".join(count(len(rows), what) for rows, what in parts)
        out.print(name, f"{length(video['duration_s'])}, {words}", sep="  ")
        for damage in video["damage"]:
            out.print(Text(f"  {damage}", "yellow"))
        rows = [row for rows, _ in parts for row in rows]
        for row in sorted(rows, key=lambda row: (row["start_s"], row["end_s"])):
            out.print(f"  {_span(row)}")


def _span(row: Mapping[str, Any]) -> str:
    """Return a line about a shot or a transition; only the latter is of a kind."""
    lasts = row["end_frame"] > row["start_frame"]
    seconds = f"{row['start_s']:10.3f} s" + (f" to {row['end_s']:.3f} s" if lasts else "")
    frames = f"frames {row['start_frame']} to {row['end_frame'] - 1}" if lasts else f"frame {row['start_frame']}"
    if "kind" not in row:
        return f"{'shot':<9}{seconds:<28} {frames}"
    return f"{row['kind']:<9}{seconds:<28} {frames:<21} confidence {row['confidence']:.2f}"


def recipes(name: str | None) -> None:
    """List the recipes, or print one in full."""
    out = console()
    if name:
        print(recipe_module.load(name).to_toml(), end="")
        return
    for known in recipe_module.names():
        recipe = recipe_module.load(known)
        out.print(f"[bold]{known}[/]  {recipe.about} ({recipe.source})")
        out.print(f"  keeps {', '.join(str(rule) for rule in recipe.rules) or 'every clip'}")
        uses = [*recipe.voters.values(), *recipe.judges.values(), *recipe.captions.values()]
        asking = [use.label for use in uses if use.step.asks]
        if asking:
            out.print(f"  asks a model, once one is named: {', '.join(dict.fromkeys(asking))}")
        for missing in recipe.not_run:
            out.print(f"  not run: {missing}")


def steps(name: str | None) -> None:
    """List all steps, or all that are named so; one of somebody's own by its full name, `module:function`."""
    out = console()
    if name and ":" in name:
        own = steps_module.find("scores", name)  # what kind it is shows only where it is used
        out.print("[bold]own[/]")
        _print_step(out, own, whole=True)
        return
    found = 0
    for kind in steps_module.KINDS:
        known = [step for step in steps_module.names(kind) if name in (None, step)]
        if known:
            out.print(f"[bold]{kind}[/]")
        for step_name in known:
            _print_step(out, steps_module.find(kind, step_name), whole=bool(name))
            found += 1
    if not found:
        known_names = {step for kind in steps_module.KINDS for step in steps_module.names(kind)}
        raise UsageError(f"no step {name!r}{steps_module.nearest(name or '', known_names)}")


def _print_step(out: Console, step: steps_module.Step, *, whole: bool) -> None:
    first, *rest = step.doc.splitlines() or [""]
    out.print(f"  {step.name:<14}{' ' * (len(step.name) > 13)}{first}", markup=False)
    more = [*rest, *(f"{parameter} = {steps_module.told(default)}" for parameter, default in step.defaults.items())]
    more += ["asks a model"] if step.asks else []
    more += [f"reads the signal {step.signal}"] if step.signal else []
    more += [f"needs {', '.join(step.needs.values())}"] if step.needs else []
    for line in more if whole else ():
        out.print(f"  {'':<14}{line}", markup=False)
