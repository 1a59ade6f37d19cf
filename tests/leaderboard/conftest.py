"""Session fixtures of the leaderboard's tests."""

from board_site import cache, hostile_site, site, tree, two_kinds

__all__ = ["cache", "hostile_site", "site", "tree", "two_kinds"]
