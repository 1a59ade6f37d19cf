"""Session fixtures of the leaderboard's tests."""

from board_site import cache, hostile_site, site, tree

__all__ = ["cache", "hostile_site", "site", "tree"]
