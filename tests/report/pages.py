"""The data of a made-up report, as nasty as names can be."""

HOSTILE = "</script><!--<script>alert(1)</script><img src=x onerror=alert(2)>\u2028\"'&.mp4"
EVERY_S, COLUMNS, ROWS, TILES = 1.0, 4, 3, 30
TILE = (96, 54)


def clip(name, video, start_s, end_s, **more):
    scores = {"duration_s": end_s - start_s, "motion.mean": more.pop("motion", 0.2), "look.luma": 0.4}
    fields = {"kept": True, "rejected_by": None, "rejected_value": None, "file": None, "found": None}
    said = {"line": None, "captions": [], "captions_left_out": 0, "joins": 0, "joined": []}
    return {"id": name, "video": video, "start_s": start_s, "end_s": end_s, "scores": scores, **fields, **said, **more}


def made_up() -> dict:
    """Two videos, four clips, two of them kept; names as nasty as file names can be."""
    short, still = "duration_s >= 10", "motion.mean >= 0.077"
    clips = [
        clip("a0", 0, 0.5, 12.5, file="clips/a b#1/a%0.mp4"),
        clip("b0", 1, 2.0, 14.0, motion=0.31),
        clip("a1", 0, 13.0, 17.0, kept=False, rejected_by=short, rejected_value=4.0),
        clip("a2", 0, 18.0, 30.0, motion=0.01, kept=False, rejected_by=still, rejected_value=0.01),
    ]
    video = {"width": 1280, "height": 720, "fps": 29.97, "codec": "h264", "damage": [], "duration_s": 30.0, "shots": 3}
    files = ["previews/a b#1-0.jpg", "previews/a b#1-1.jpg", "previews/a b#1-2.jpg"]
    preview = {"tile": list(TILE), "columns": COLUMNS, "rows": ROWS, "every_s": EVERY_S, "count": TILES, "files": files}
    takes = [[c["start_s"], c["end_s"], "kept" if c["kept"] else "rejected", c["id"]] for c in clips if c["video"] == 0]
    return {
        "name": "my-set",
        "version": "0.1.0",
        "written": "2026-11-20 16:31 UTC",
        "noun": "take",
        "recipe": {
            "name": "lvd2m",
            "about": "Long takes.",
            "source": "arXiv 2410.10816",
            "rules": [short, still],
            "toml": f"# {HOSTILE}\n",
        },
        "not_run": ["captions: raw, refined, rewritten (not built yet)"],
        "totals": {
            "videos": 2,
            "video_s": 842.1,
            "shots": 231,
            "clips": 12345,
            "clip_s": 700.2,
            "joined": 0,
            "kept": 2,
            "kept_s": 160.0,
            "failed": 1,
            "file_bytes": 12345678,
            "scan_video_h_per_h": 83.0,
        },
        "second_look": {"files": 38, "clean": 37, "words": ["Second look: 37 of 38 files.", "No person checked."]},
        "funnel": [
            {"label": "shots found", "rule": None, "clips": 12345, "seconds": 700.2, "rejected": 0, "rejected_s": 0},
            {
                "label": short,
                "rule": short,
                "clips": 31,
                "seconds": 500.0,
                "rejected": 12314,
                "rejected_s": 200.2,
                "not_measured": 0,
            },
            {
                "label": still,
                "rule": still,
                "clips": 2,
                "seconds": 160.0,
                "rejected": 29,
                "rejected_s": 340.0,
                "not_measured": 7,
            },
        ],
        "histograms": [
            {
                "key": "duration_s",
                "unit": "s",
                "about": "length of the clip",
                "log": True,
                "edges": [1.0, 3.0, 9.0, 27.0, 81.0],
                "kept": [0, 0, 1, 1],
                "rejected": [5, 9, 3, 0],
                "thresholds": [{"rule": short, "number": 10.0, "comparison": ">="}],
            },
            {
                "key": "motion.mean",
                "unit": "heights/s",
                "about": "mean motion",
                "log": False,
                "edges": [0.0, 0.1, 0.2, 0.3, 0.4],
                "kept": [0, 1, 1, 0],
                "rejected": [7, 1, 0, 0],
                "thresholds": [{"rule": still, "number": 0.077, "comparison": ">="}],
            },
            {
                "key": "look.luma",
                "unit": "",
                "about": "brightness",
                "log": False,
                "edges": [0.0, 0.5, 1.0],
                "kept": [0, 0],
                "rejected": [0, 0],
                "thresholds": [],
            },
        ],
        "videos": [
            {
                **video,
                "id": "a",
                "path": f"films/{HOSTILE}",
                "kept": 1,
                "takes": takes,
                "preview": preview,
                "transitions": [[12.75, 12.75, "cut"], [17.0, 18.0, "dissolve"]],
            },
            {
                **video,
                "id": "b",
                "path": "b.mp4",
                "kept": 1,
                "takes": [],
                "preview": None,
                "transitions": [],
                "damage": ["3 packets skipped"],
            },
        ],
        "clips": clips,
        "clips_shown": {"kept": [2, 2], "rejected": [2, 12343]},
        "captions": {
            "count": 0,
            "of_other_clips": 0,
            "clips": 0,
            "kinds": [],
            "set_aside": [],
            "set_aside_total": 0,
            "answers": [],
            "waiting": None,
        },
        "spans": None,
        "failures": [{"item": HOSTILE, "step": "scan", "kind": "not_a_video", "message": "the file starts with text"}],
        "failures_total": 1,
    }
