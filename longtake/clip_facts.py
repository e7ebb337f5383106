"""What rules can ask of clips besides their scores."""

from longtake.duplicates import GROUP, RANK, SIZE

CLIP_FACTS: dict[str, tuple[str, str]] = {
    "duration_s": ("s", "length of the clip"),
    "width": ("px", "width of the video as shown"),
    "height": ("px", "height of the video as shown"),
    "fps": ("per s", "mean frame rate of the video, or of the clip where it varies"),
    "transitions": ("", "transitions inside it, where shots were joined"),
}
"""What rules can ask of every clip besides its scores: key -> (unit, meaning)."""

FILE_FACTS: dict[str, tuple[str, str]] = {
    "file_transitions": ("", "transitions that the second look found in the written file, beyond joined ones"),
}
"""What rules can ask once a clip's file is written; such a rule removes the file again."""

COPY_FACTS: dict[str, tuple[str, str]] = {
    GROUP: ("", "names the copies of one stretch of footage; null for a clip without copies"),
    SIZE: ("", "how many they are, itself included; 1 without copies"),
    RANK: ("", "its place among them, 1 for the best; a rule counts only those that the rules before it keep"),
}
"""What rules can ask where a recipe looks for copies."""
