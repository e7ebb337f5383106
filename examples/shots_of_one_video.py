"""Print the shots of one video, and how much moves in each.

python examples/shots_of_one_video.py VIDEO
"""

import sys

import longtake
from longtake.shots import shots_between
from longtake.shots.change import change
from longtake.signals.change import Change
from longtake.signals.motion import Motion


def main(path: str) -> None:
    found = longtake.scan(path, {"change": Change(), "motion": Motion()})
    transitions = change(found.series["change"])
    for shot in shots_between(transitions, found.times, found.video.duration_s):
        speed = found.series["motion"].between(shot.start_s, shot.end_s).column("mean")
        moves = f"{speed.mean():.3f} heights per second" if len(speed) else "too short to say"
        print(f"{shot.start_s:8.2f} - {shot.end_s:8.2f} s  {moves}")


if __name__ == "__main__":
    main(*sys.argv[1:])
