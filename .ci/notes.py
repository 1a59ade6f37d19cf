"""Print what CHANGELOG.md says of a version, for a release: ``python .ci/notes.py v1.2.3``.

Exit status 1 if the tag is not that of the package's version, or the version has no date in the changelog.
"""

import re
import sys
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def notes(tag: str, version: str, changelog: str) -> str:
    """Return the section of a version, without its heading.

    Raises:
        ValueError: the tag does not name the version, or the version has no section with a date.
    """
    if tag != f"v{version}":
        raise ValueError(f"the tag is {tag} and the version {version}: tag v{version}, or change __version__.")
    section = re.search(rf"^## \[{re.escape(version)}\] - (.+)\n((?:(?!## ).*\n?)*)", changelog, re.MULTILINE)
    if section is None:
        raise ValueError(f"CHANGELOG.md has no section '## [{version}] - DATE': write one.")
    try:
        date.fromisoformat(section[1])
    except ValueError:
        raise ValueError(f"CHANGELOG.md dates {version} {section[1]!r}: write the day of the release.") from None
    return section[2].strip()


if __name__ == "__main__":
    package = (ROOT / "dfar_bench" / "__init__.py").read_text(encoding="utf-8")
    version = re.findall(r'^__version__ = "(.+)"$', package, re.MULTILINE)[0]
    try:
        print(notes(sys.argv[1], version, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))
    except ValueError as error:
        sys.exit(f"notes.py: {error}")
