"""longtake: raw videos in, training-ready long takes out.

`run` does the whole job, `find_shots` only the shots; `probe` and `scan` look at one video. Loaded when first used.
"""

import importlib

TYPE_CHECKING = False  # as typing's, which takes a while to load

__version__ = "0.1.0"
__all__ = ["__version__", "find_shots", "load_recipe", "open_set", "probe", "run", "scan"]

_HOMES = {
    "find_shots": ("longtake.finding", "find_shots"),
    "load_recipe": ("longtake.recipe", "load"),
    "open_set": ("longtake.opening", "Set"),
    "probe": ("longtake.video", "probe"),
    "run": ("longtake.running", "run"),
    "scan": ("longtake.video", "scan"),
}

if TYPE_CHECKING:
    from longtake.finding import find_shots
    from longtake.opening import Set as open_set  # noqa: N813  # `open_set(folder)` reads as what it does
    from longtake.recipe import load as load_recipe
    from longtake.running import run
    from longtake.video import probe, scan


def __getattr__(name: str) -> object:
    """Load what is asked for: `import longtake` alone costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'longtake' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    """List what is there to use, loaded or not."""
    return sorted(__all__)
