"""The vote phase of a run: models are asked about transitions, before it is known what the clips are."""

import pyarrow as pa
import pyarrow.compute as pc

from longtake.captioning.phase import ask_about
from longtake.captioning.subjects import work_key
from longtake.captioning.terms import Asked, Terms
from longtake.planning import mark_revoted
from longtake.recipe import Recipe
from longtake.store import Store
from longtake.voting import asking_voters, stretch_id
from longtake.watch import Watch


def ask_voters(store: Store, recipe: Recipe, terms: Terms, watch: Watch) -> Asked:
    """Ask the voters that ask a model about every transition they haven't voted on; forget what others said.

    Videos whose votes change by it are marked: their clips are to be made anew.
    """
    uses = asking_voters(recipe)
    forget_other_votes(store, recipe)
    return ask_about(lambda store: stretches(store, recipe), store, recipe, uses, terms, watch)


def forget_other_votes(store: Store, recipe: Recipe) -> None:
    """Take back what other models, or these asked otherwise, said of transitions, so that no clip goes by it."""
    for use in asking_voters(recipe):
        if recipe.waits(use):
            continue  # without a model at hand, what was said stays said
        others = f"voter = '{use.label}' AND work NOT LIKE '{work_key(recipe, use)}%'"
        videos = set(store.read("votes", ["video_id"], others)["video_id"].to_pylist())
        mark_revoted(store, videos)
        store.delete("votes", "video_id", videos, also=others)


def stretches(store: Store, recipe: Recipe) -> pa.Table:
    """Return every two neighbouring shots of the videos that the recipe was run on, as rows like those of clips."""
    videos = store.read("videos", ["id", "made_by"])
    mine = videos.filter(pc.equal(videos["made_by"], recipe.key))["id"].combine_chunks()
    shots = store.read("shots")
    shots = shots.filter(pc.is_in(shots["video_id"], mine))
    shots = shots.sort_by([("video_id", "ascending"), ("number", "ascending")])
    before, after = shots.slice(0, max(0, shots.num_rows - 1)), shots.slice(1)
    same = pc.equal(before["video_id"], after["video_id"])
    before, after = before.filter(same), after.filter(same)
    columns = (before["video_id"], before["start_s"], after["end_s"])
    spans = zip(*(column.to_pylist() for column in columns), strict=True)
    transitions = before["ends_in"].combine_chunks()
    return pa.table(
        {
            "id": pa.array([stretch_id(*span) for span in spans], pa.string()),
            **{name: before[name] for name in ("video_id", "number", "start_s", "start_frame")},
            **{name: after[name] for name in ("end_s", "end_frame")},
            "transition_start_s": pc.struct_field(transitions, "start_s"),
            "transition_end_s": pc.struct_field(transitions, "end_s"),
            "file": pa.nulls(before.num_rows, pa.string()),
        }
    )
