"""The columns of a set's tables. Explicit, never inferred; scores join `clips` as struct columns, one a label."""

from collections.abc import Iterable

import pyarrow as pa

_SPAN = [
    ("start_s", pa.float64()),
    ("end_s", pa.float64()),
    ("start_frame", pa.int64()),
    ("end_frame", pa.int64()),
]
_TRANSITION = pa.struct([("kind", pa.string()), *_SPAN, ("confidence", pa.float64())])
_SIMILAR = pa.struct([("start_s", pa.float64()), ("end_s", pa.float64()), ("similarity", pa.float64())])
_LISTED_CAPTION = pa.struct(
    [("kind", pa.string()), ("text", pa.string()), ("start_s", pa.float64()), ("end_s", pa.float64())]
)
_PREVIEWS = pa.struct(
    [
        ("files", pa.list_(pa.string())),
        ("tile_width", pa.int32()),
        ("tile_height", pa.int32()),
        ("columns", pa.int32()),
        ("rows", pa.int32()),
        ("every_s", pa.float64()),
        ("count", pa.int32()),
    ]
)
SCHEMAS: dict[str, pa.Schema] = {
    "videos": pa.schema(
        [
            ("id", pa.string()),
            ("path", pa.string()),
            ("bytes", pa.int64()),
            ("modified_ns", pa.int64()),
            ("container", pa.string()),
            ("codec", pa.string()),
            ("pixel_format", pa.string()),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("rotation", pa.int32()),
            ("duration_s", pa.float64()),
            ("frames", pa.int64()),
            ("fps", pa.float64()),
            ("variable_fps", pa.bool_()),
            ("audio_codec", pa.string()),
            ("first_timestamp_s", pa.float64()),
            ("seekable", pa.bool_()),
            ("damage", pa.list_(pa.string())),
            ("previews", _PREVIEWS),
            ("made_by", pa.string()),  # key of the recipe whose work its rows are; a video is done when it matches
            ("version", pa.string()),
            ("revoted", pa.bool_()),  # whether models' votes have changed since its clips were made
        ]
    ),
    "signals": pa.schema(
        [
            ("video_id", pa.string()),
            ("key", pa.string()),  # names step, version and parameters: a changed signal is another one
            ("label", pa.string()),
            ("step", pa.string()),
            ("version", pa.int32()),
            ("parameters", pa.string()),
            ("columns", pa.list_(pa.string())),
            ("times", pa.list_(pa.float64())),
            ("frames", pa.list_(pa.int32())),
            ("values", pa.list_(pa.float32())),  # row by row
        ]
    ),
    "shots": pa.schema(
        [
            ("video_id", pa.string()),
            ("number", pa.int32()),
            *_SPAN,
            # The transition that ends the shot; null for a video's last shot.
            ("ends_in", _TRANSITION),
        ]
    ),
    "clips": pa.schema(
        [
            ("id", pa.string()),
            ("video_id", pa.string()),
            *_SPAN,
            ("duration_s", pa.float64()),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("fps", pa.float64()),
            ("kept", pa.bool_()),
            ("rejected_by", pa.string()),
            ("file", pa.string()),
            ("file_key", pa.string()),
            ("file_bytes", pa.int64()),
            ("file_width", pa.int32()),
            ("file_height", pa.int32()),
            ("file_audio", pa.bool_()),
            ("file_transitions", pa.int32()),  # how many the second look found in the file; null: not looked at
            ("file_transitions_at", pa.list_(_TRANSITION)),  # seconds and frames of the file
            ("file_verify_key", pa.string()),  # names the encoder settings and the detector of that look
            ("judge_key", pa.string()),  # names the judges that were asked about it; null: not asked
            ("transitions", pa.int32()),  # how many lie inside it, where shots were joined
            ("transitions_at", pa.list_(_TRANSITION)),  # seconds and frames of the video
        ]
    ),
    "listed": pa.schema(
        [
            ("folder", pa.string()),  # of the list and the fetched videos
            ("row", pa.int64()),  # of the list
            ("dataset", pa.string()),
            ("video", pa.string()),  # the name of its file, without the ending
            ("clip", pa.string()),
            ("url", pa.string()),
            ("start_s", pa.float64()),  # of the video; null: from its start
            ("end_s", pa.float64()),
            ("captions", pa.list_(_LISTED_CAPTION)),
            ("scores", pa.list_(pa.struct([("name", pa.string()), ("value", pa.float64())]))),
            ("fields", pa.list_(pa.struct([("name", pa.string()), ("value", pa.string())]))),
        ]
    ),
    "votes": pa.schema(
        [
            ("video_id", pa.string()),
            ("number", pa.int32()),  # of the shot that the transition ends
            ("start_s", pa.float64()),  # of the transition
            ("end_s", pa.float64()),
            ("voter", pa.string()),
            ("joins", pa.bool_()),  # whether what the transition parts belongs together; null: it can't be told
            ("score", pa.float64()),  # what the vote goes by, where that is a number
            ("model", pa.string()),  # who was asked; null for a voter that asks no model
            ("work", pa.string()),  # names the voter, its parameters, and the model or signal
        ]
    ),
    "answers": pa.schema(
        [
            ("key", pa.string()),  # names clip, question, model and try: an equal question isn't asked again
            ("clip_id", pa.string()),
            ("video_id", pa.string()),
            ("step", pa.string()),
            ("question", pa.string()),
            ("number", pa.int32()),
            ("attempt", pa.int32()),  # odd: asked for itself; even: with what was wrong before
            ("model", pa.string()),  # as the server names it
            ("prompt", pa.string()),
            ("frames_s", pa.list_(pa.float64())),
            ("frames_hash", pa.string()),  # of the pictures that were sent
            ("text", pa.string()),
            ("finish", pa.string()),
            ("prompt_tokens", pa.int64()),
            ("completion_tokens", pa.int64()),
            ("cached_tokens", pa.int64()),
            ("cost_usd", pa.float64()),  # null: the price isn't known
            ("elapsed_s", pa.float64()),
            ("tries", pa.int32()),
            ("asked", pa.timestamp("us", tz="UTC")),
        ]
    ),
    "captions": pa.schema(
        [
            ("clip_id", pa.string()),
            ("video_id", pa.string()),
            ("step", pa.string()),
            ("kind", pa.string()),
            ("number", pa.int32()),
            ("start_s", pa.float64()),  # seconds of the clip, as the end
            ("end_s", pa.float64()),
            ("text", pa.string()),
            ("problems", pa.list_(pa.string())),  # not empty: set aside, and used for nothing
            ("model", pa.string()),
            ("answer", pa.string()),  # key of `answers`
            ("frames_s", pa.list_(pa.float64())),
            ("work", pa.string()),  # names the step, its parameters, the model, and the signals it reads
        ]
    ),
    "texts": pa.schema(
        [
            ("key", pa.string()),  # names the text and what made the vector
            ("video_id", pa.string()),  # whose caption it is
            ("vector", pa.list_(pa.float16())),  # of length 1, in the space of the signal's rows
        ]
    ),
    "spans": pa.schema(
        [
            ("video_id", pa.string()),
            ("clip_id", pa.string()),
            ("step", pa.string()),  # with kind and number it names the caption
            ("kind", pa.string()),
            ("number", pa.int32()),
            ("text", pa.string()),
            ("caption_start_s", pa.float64()),  # the stretch that was captioned; all times are seconds of the video
            ("caption_end_s", pa.float64()),
            ("start_s", pa.float64()),  # the positive
            ("end_s", pa.float64()),
            ("neg_start_s", pa.float64()),
            ("neg_end_s", pa.float64()),
            ("start_scene", pa.int32()),
            ("end_scene", pa.int32()),
            ("neg_start_scene", pa.int32()),  # null: no scene bounds it; the edge says why
            ("neg_end_scene", pa.int32()),
            ("left", pa.string()),
            ("right", pa.string()),
            ("places", pa.list_(pa.string())),
            ("similar", pa.list_(_SIMILAR)),  # hard negatives
            ("score", pa.float64()),
            ("rival", pa.float64()),
            ("rejected_by", pa.string()),  # null: a good record
        ]
    ),
    "vectors": pa.schema(
        [
            ("clip_id", pa.string()),
            ("video_id", pa.string()),
            ("start_s", pa.float64()),  # of the part, in seconds of the video; a clip that hardly changes is one part
            ("end_s", pa.float64()),
            ("vector", pa.list_(pa.float32())),  # of length 1; stored with a fixed size, that of the signal's rows
        ]
    ),
    "judgements": pa.schema(
        [
            ("clip_id", pa.string()),
            ("video_id", pa.string()),
            ("judge", pa.string()),  # a person; of what one said of a clip, the last counts
            ("keep", pa.bool_()),  # null: not decided
            ("flags", pa.list_(pa.string())),  # what is wrong: cut, static, text, caption, ...
            ("note", pa.string()),
            ("made", pa.timestamp("us", tz="UTC")),
        ]
    ),
    "choices": pa.schema(
        [
            ("clip_id", pa.string()),
            ("video_id", pa.string()),
            ("judge", pa.string()),
            ("first", pa.string()),  # caption, as step.kind: one of two that were shown without their names
            ("second", pa.string()),
            ("chosen", pa.string()),  # the better one; null: neither
            ("made", pa.timestamp("us", tz="UTC")),
        ]
    ),
    "samples": pa.schema(
        [
            ("clip_id", pa.string()),
            ("video_id", pa.string()),
            ("number", pa.int32()),  # its place in the order of judging
            ("rules", pa.list_(pa.string())),  # it was drawn among the clips that these keep, or among the others
            ("seed", pa.int64()),
            ("drawn", pa.timestamp("us", tz="UTC")),  # the last sample counts
        ]
    ),
    "exports": pa.schema(
        [
            ("folder", pa.string()),
            ("format", pa.string()),
            ("key", pa.string()),
            ("options", pa.string()),
            ("clips", pa.int64()),
            ("made", pa.timestamp("us", tz="UTC")),
            ("video_ids", pa.list_(pa.string())),  # whose clips it holds
        ]
    ),
    "failures": pa.schema(
        [
            ("item", pa.string()),
            ("step", pa.string()),
            ("kind", pa.string()),
            ("message", pa.string()),
            ("work", pa.string()),  # key of the work that failed, so that other work is tried
            ("bytes", pa.int64()),
            ("modified_ns", pa.int64()),
        ]
    ),
    "runs": pa.schema(
        [
            ("started", pa.timestamp("us", tz="UTC")),
            ("ended", pa.timestamp("us", tz="UTC")),
            ("recipe", pa.string()),
            ("version", pa.string()),
            ("workers", pa.int32()),
            ("videos", pa.int64()),
            ("video_s", pa.float64()),
            ("scan_s", pa.float64()),
            ("written", pa.int64()),
            ("write_s", pa.float64()),
            ("failed", pa.int64()),
            ("shard", pa.string()),  # 3/16: what part of the videos it was about; 1/1: all of them
        ]
    ),
}


def score_schema(base: pa.Schema, keys: Iterable[str]) -> pa.Schema:
    """Return a schema with a struct column a label for score keys such as `motion.mean`."""
    parts: dict[str, list[str]] = {}
    for key in keys:
        label, _, part = key.partition(".")
        parts.setdefault(label, []).append(part)
    fields = [pa.field(label, pa.struct([(part, pa.float64()) for part in names])) for label, names in parts.items()]
    return pa.schema([*base, *fields])
