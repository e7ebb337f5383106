"""Crops to train temporal grounding on: each has one right answer for its caption.

python examples/crops_of_spans.py SET     (made by: longtake run internvid-g VIDEOS --to SET)
"""

import sys

import numpy as np

import longtake


def main(folder: str) -> None:
    mine = longtake.open_set(folder)
    rng = np.random.default_rng(0)
    spans = mine.spans().to_pylist()
    print(f"{len(spans)} captions have their place")
    for span in spans[:5]:
        place, start_s, end_s = mine.crop(span, rng)
        print(f"{span['video_id']}  {start_s:.1f} to {end_s:.1f} s: where is this? {span['text']}")
        print(f"  {span['start_s'] - start_s:.1f} to {span['end_s'] - start_s:.1f} s, {place}")


if __name__ == "__main__":
    main(*sys.argv[1:])
