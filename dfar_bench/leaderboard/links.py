"""Where the pages lead: the one place that knows addresses.

The repository's address is that of ``[project.urls]`` in ``pyproject.toml``, or the one given to ``board build``. A
board knows no address by itself, and invents none: without one its pages name the documentation's files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata

from dfar_bench.errors import InputError

PAGES = {"Findings": "findings", "Judges": "judges", "How to submit": "leaderboard"}
"""Titles of the pages of the documentation to which every page leads."""

PREVIEW = "preview.png"
"""The picture of the site that others show beside a link."""

_ADDRESS = re.compile(r"https?://[^\s\"'<>]+")
_RELATIVE = re.compile(r"[\w.-]+(/[\w.-]+)*")


@dataclass(frozen=True)
class Links:
    """Addresses, "" where they are not known.

    Attributes:
        repository: of the sources.
        docs: of the built documentation; may be relative to the site.
        site: under which the site will be; addresses of pictures must be whole for those who show links.
    """

    repository: str = ""
    docs: str = ""
    site: str = ""

    @classmethod
    def of(cls, repository: str | None = None, docs: str | None = None, site: str | None = None) -> Links:
        """Put addresses together, with those of the package where none is given.

        Raises:
            InputError: one is not an address.
        """
        known = _project_urls()
        for name, value, forms in (
            ("--repository", repository, (_ADDRESS,)),
            ("--docs", docs, (_ADDRESS, _RELATIVE)),
            ("--address", site, (_ADDRESS,)),
        ):
            if value and not any(form.fullmatch(value) for form in forms):
                raise InputError(f"{name} {value} is not an address: give one that begins with https://.")
        found = (repository or known.get("repository", ""), docs or known.get("documentation", ""), site or "")
        return cls(*(address.rstrip("/") for address in found))

    def pages(self, root: str) -> dict[str, str]:
        """Return the address of each of ``PAGES`` as seen from a page; "" where it is not known.

        Args:
            root: the way from the page to the site's folder, such as ``../../``.
        """
        return {title: self._page(name, root) for title, name in PAGES.items()}

    def _page(self, name: str, root: str) -> str:
        if self.docs:
            return f"{'' if _ADDRESS.fullmatch(self.docs) else root}{self.docs}/{name}.html"
        return f"{self.repository}/blob/HEAD/docs/{name}.md" if self.repository else ""

    def preview(self, root: str) -> str:
        """Return the address of the picture as seen from a page."""
        return f"{self.site}/{PREVIEW}" if self.site else f"{root}{PREVIEW}"


def _project_urls() -> dict[str, str]:
    """Return the package's addresses by lower-case label."""
    try:
        entries = metadata("dfar-bench").get_all("Project-URL") or []
    except PackageNotFoundError:
        return {}
    pairs = (entry.partition(",") for entry in entries)
    return {
        label.strip().lower(): address.strip() for label, _, address in pairs if _ADDRESS.fullmatch(address.strip())
    }
