"""Nothing in the package runs, loads or trusts what comes from outside. Sources are parsed, not imported."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

HOMES = {
    # What comes back to these is what a worker of our own sent.
    "pickle": ("longtake/engines/ray.py", "longtake/engines/crew.py", "longtake/engines/actor.py"),
    "subprocess": ("longtake/engines/local.py",),
    "ctypes": (),
    "marshal": (),
    "shelve": (),
    "dill": (),
    "joblib": (),
    "cloudpickle": (),
    "yaml": (),
    "xml": (),
    "pty": (),
    "commands": (),
}
"""Modules that only these files may import."""
FORBIDDEN = {"eval", "exec", "compile", "os.system", "os.popen", "tempfile.mktemp", "builtins.eval", "builtins.exec"}
FORBIDDEN_STARTS = ("os.exec", "os.spawn", "os.posix_spawn", "pandas.read_pickle")
NEVER = {"shell": True, "allow_pickle": True, "verify": False, "trust_remote_code": True, "check_hostname": False}
"""Arguments that no call may have with these values."""
PLAIN = {"shell", "allow_pickle", "trust_remote_code"}
"""Of those, the ones that are written out where they are given."""


def name_of(node: ast.expr) -> str:
    """Return what is called, as far as it has a name: `os.system`."""
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def complaints(source: str, path: str) -> Iterator[str]:
    """Give what is wrong in a file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            for top in {name.partition(".")[0] for name in names}:
                if path not in HOMES.get(top, (path,)):
                    yield f"{path}:{node.lineno} imports {top}"
            if isinstance(node, ast.ImportFrom) and node.module in ("os", "tempfile"):
                for alias in node.names:
                    called = f"{node.module}.{alias.name}"
                    if called in FORBIDDEN or called.startswith(FORBIDDEN_STARTS):
                        yield f"{path}:{node.lineno} imports {called}"
        elif isinstance(node, ast.Call):
            name = name_of(node.func)
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            if name in FORBIDDEN or name.startswith(FORBIDDEN_STARTS):
                yield f"{path}:{node.lineno} calls {name}"
            for argument, never in NEVER.items():
                value = given.get(argument)
                if value is None:
                    continue
                if value.value is never if isinstance(value, ast.Constant) else argument in PLAIN:
                    yield f"{path}:{node.lineno} calls {name} with {argument}={ast.unparse(value)}"
            if name == "torch.load" and ast.unparse(given.get("weights_only", ast.Constant(None))) != "True":
                yield f"{path}:{node.lineno} calls torch.load without weights_only=True"
            if name.endswith(".extractall") and "filter" not in given:
                yield f"{path}:{node.lineno} unpacks without a filter"
            if name.startswith("subprocess.") and node.args and isinstance(node.args[0], ast.Constant | ast.JoinedStr):
                yield f"{path}:{node.lineno} calls {name} with a text, not a list"


def test_the_package_does_nothing_of_the_kind() -> None:
    files = sorted((ROOT / "longtake").rglob("*.py"))
    assert len(files) > 100
    found = [said for file in files for said in complaints(file.read_text(), str(file.relative_to(ROOT)))]
    assert found == []


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("import pickle", "imports pickle"),
        ("def f():\n    from pickle import loads", "imports pickle"),
        ("import yaml.loader", "imports yaml"),
        ("import subprocess", "imports subprocess"),
        ("from os import system", "imports os.system"),
        ("eval('1')", "calls eval"),
        ("import os\nos.system('ls')", "calls os.system"),
        ("os.execv('a', [])", "calls os.execv"),
        ("tempfile.mktemp()", "calls tempfile.mktemp"),
        ("np.load(f, allow_pickle=True)", "allow_pickle=True"),
        ("np.load(f, allow_pickle=how)", "allow_pickle=how"),
        ("run('ls', shell=True)", "shell=True"),
        ("client(verify=False)", "verify=False"),
        ("load(name, trust_remote_code=True)", "trust_remote_code=True"),
        ("torch.load(f)", "without weights_only"),
        ("torch.load(f, weights_only=False)", "without weights_only"),
        ("tar.extractall(to)", "without a filter"),
        ("subprocess.run('ls')", "with a text"),
        ("model.eval()\nre.compile('a')\nnp.load(f)\nnp.load(f, allow_pickle=False)", None),
        ("torch.load(f, weights_only=True)\ntar.extractall(to, filter='data')\nclient(verify=True)", None),
    ],
)
def test_the_rule_itself(source: str, complaint: str | None) -> None:
    found = list(complaints(source, "longtake/anything.py"))
    assert (complaint in found[0]) if complaint else not found


def test_every_package_is_pinned_once_for_all_lists() -> None:
    pins: dict[str, set[str]] = {}
    for file in sorted((ROOT / "requirements").glob("*.txt")):
        for line in file.read_text().splitlines():
            wanted = line.partition("#")[0].strip()
            if wanted:
                found = re.fullmatch(r"([A-Za-z0-9][\w.-]*)==(\d[\w.+!]*)(?: *; *python_version .*)?", wanted)
                assert found, f"{file.name}: {line!r} is no pin such as name==1.2"
                pins.setdefault(re.sub(r"[-_.]+", "-", found[1]).lower(), set()).add(found[2])
    assert len(pins) > 30
    assert {name: versions for name, versions in pins.items() if len(versions) > 1} == {}


def test_the_linters_rules_on_security_are_on_for_the_package() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    assert re.search(r'^select = \[.*"S".*\]', text, re.MULTILINE)
    assert re.search(r'^ignore = \[[^]]*"S(?!101)', text, re.MULTILINE) is None
    assert not re.search(r'"longtake/.*"S', text)
