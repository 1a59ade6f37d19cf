"""Session fixtures of the leaderboard's tests."""

from board_site import cache, hostile_site, site, tree, two_kinds, two_kinds_site

__all__ = ["cache", "hostile_site", "site", "tree", "two_kinds", "two_kinds_site"]
