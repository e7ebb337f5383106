"""Published files of InternVid-G: read as they are, broken lines and all, and checked by what makes a span right.

The forms are those of yellow-binary-tree/HawkEye, of the set released from it, and of InternVid's own records; our
export `internvid_g` writes the same. Files may be packed with gzip.
"""

from longtake.published.checking import Broken, Checked, check_spans
from longtake.published.reading import (
    BadLine,
    Lines,
    Record,
    read_captions,
    read_scenes,
    read_similarity,
    read_spans,
)
from longtake.sources.lists.internvid_g import Captioned

__all__ = [
    "BadLine",
    "Broken",
    "Captioned",
    "Checked",
    "Lines",
    "Record",
    "check_spans",
    "read_captions",
    "read_scenes",
    "read_similarity",
    "read_spans",
]
