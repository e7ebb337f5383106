"""Make a set with rules of your own, then ask its tables.

python examples/own_rules.py VIDEOS SET
"""

import sys

import longtake

RULES = ["duration_s >= 4", "motion.mean >= 0.02", "look.luma >= 0.1"]


def main(videos: str, folder: str) -> None:
    result = longtake.run("lvd2m", [videos], folder, settings=[f"select.keep={RULES}"])
    for row in result.funnel:
        print(f"{row.rule or 'clips found'!s:24}{row.clips:5} clips  {row.seconds:8.1f} s")
    clips = longtake.open_set(folder).read("clips", ["id", "duration_s", "motion.mean"], where="kept")
    for clip in sorted(clips.to_pylist(), key=lambda clip: -clip["motion.mean"])[:5]:
        print(f"{clip['id']}  {clip['duration_s']:.1f} s, motion {clip['motion.mean']:.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
