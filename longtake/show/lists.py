"""What there is: shots of videos, recipes, steps."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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
    out = console()
    for video in found:
        name = Text(Path(video["video"]).name)
        if "failure" in video:
            out.print(name, Text(f"failed: {video['failure']['message']}", "red"))
            continue
        out.print(name, f"{length(video['duration_s'])}, {count(len(video['shots']), 'shot')}", sep="  ")
        for words in video["damage"]:
            out.print(Text(f"  {words}", "yellow"))
        for t in video["transitions"]:
            span = f"{t['start_s']:10.3f} s" + (f" to {t['end_s']:.3f} s" if t["end_frame"] > t["start_frame"] else "")
            out.print(f"  {t['kind']:<9}{span:<28} frame {t['start_frame']}  confidence {t['confidence']:.2f}")


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
    """List all steps, or all that are named so."""
    out = console()
    found = 0
    for kind in steps_module.KINDS:
        known = [step for step in steps_module.names(kind) if name in (None, step)]
        if known:
            out.print(f"[bold]{kind}[/]")
        for step_name in known:
            step = steps_module.find(kind, step_name)
            first, *rest = step.doc.splitlines()
            out.print(f"  {step_name:<14}{first}", markup=False)
            if name:
                for line in rest:
                    out.print(f"  {'':<14}{line}", markup=False)
                for parameter, default in step.defaults.items():
                    out.print(f"  {'':<14}{parameter} = {steps_module.told(default)}", markup=False)
                if step.asks:
                    out.print(f"  {'':<14}asks a model", markup=False)
                if step.signal:
                    out.print(f"  {'':<14}reads the signal {step.signal}", markup=False)
                if step.needs:
                    out.print(f"  {'':<14}needs {', '.join(step.needs.values())}", markup=False)
            found += 1
    if not found:
        known_names = {step for kind in steps_module.KINDS for step in steps_module.names(kind)}
        raise UsageError(f"no step {name!r}{steps_module.nearest(name or '', known_names)}")
