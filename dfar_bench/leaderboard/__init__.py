"""The leaderboard: scored models as folders of answers, of which every figure is computed again.

``submit`` makes such a folder from lm_eval's output, ``verify`` scores it again with our own data and judge.
``docs/leaderboard.md`` tells submitters how.
"""

SUBMISSIONS = "leaderboard/submissions"
"""Where submissions are in a repository, ours or another."""

PREPARED = "leaderboard/prepared"
"""Where the answers of real models are that the demo shows, by data set; the board does not read them."""
