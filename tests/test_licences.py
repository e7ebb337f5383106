"""What longtake needs may be used by anybody: every pinned package has a licence that asks for nothing in return."""

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest
from av._core import library_meta

LISTS = sorted((Path(__file__).resolve().parents[1] / "requirements").glob("*.txt"))
ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CNRI-Python",
    "ISC",
    "LGPL-2.1-or-later",
    "LGPL-3.0-or-later",
    "MIT",
    "MIT-0",
    "MIT-CMU",
    "MPL-2.0",  # of whole files: who changes one of theirs gives that file
    "PSF-2.0",
    "Unlicense",
    "Zlib",
}
OTHER_WORDS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache 2.0 License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "BSD, Public Domain": "BSD-2-Clause",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""Of packages that don't use the names that are agreed on."""


def licence_of(name: str) -> str:
    """Return what a package says of its licence, in the words that say most."""
    told = metadata(name)
    groups = [entry for entry in told.get_all("Classifier") or [] if entry.startswith("License ::")]
    last = [group.rpartition(" :: ")[2] for group in groups]
    said = told.get("License-Expression") or told.get("License") or " OR ".join(last)
    return OTHER_WORDS.get(said, said)


def is_allowed(expression: str) -> bool:
    """Return whether all parts of an expression are; of alternatives one."""
    if " AND " in expression:
        return all(map(is_allowed, expression.split(" AND ")))
    if " OR " in expression:
        return any(map(is_allowed, expression.split(" OR ")))
    return expression.strip("() ").removesuffix(" WITH LLVM-exception") in ALLOWED


@pytest.mark.parametrize("file", LISTS, ids=lambda file: file.stem)
def test_every_package_of_a_list(file: Path) -> None:
    names = re.findall(r"^([A-Za-z0-9][\w.-]*)==", file.read_text(), re.MULTILINE)
    assert names
    found = {}
    for name in names:
        try:
            found[name] = licence_of(name)
        except PackageNotFoundError:
            continue
    if not found:
        pytest.skip("nothing of it is installed here")
    assert {name: said for name, said in found.items() if not is_allowed(said)} == {}


def test_the_decoders_are_a_library_under_the_lesser_licence() -> None:
    assert {about["license"].partition(" version")[0] for about in library_meta.values()} == {"LGPL"}


def test_the_rule_itself() -> None:
    assert is_allowed("Apache-2.0 OR GPL-3.0-only") and is_allowed("MIT AND PSF-2.0")
    assert not is_allowed("GPL-3.0-or-later") and not is_allowed("MIT AND GPL-3.0-only") and not is_allowed("")
    assert not is_allowed("AGPL-3.0-only OR Commercial")
