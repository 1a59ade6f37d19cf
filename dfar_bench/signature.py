"""The signature that says how a score came about, in the manner of sacrebleu.

Two scores may be compared only if their signatures agree.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

_UNSAFE = re.compile(r"[^\w.+/-]", re.ASCII)


def signature(fields: Mapping[str, object]) -> str:
    """Such as ``dfar|split:paper|task:reason|prompt:llama2.v1|…``.

    Fields without a value (None) are left out. Values may come from untrusted files, so whatever could pass for
    another field is replaced by "?".
    """
    given = {name: _UNSAFE.sub("?", str(value))[:60] for name, value in fields.items() if value is not None}
    return "|".join(["dfar", *(f"{name}:{value}" for name, value in given.items())])


def short_hash(value: object) -> str:
    """Eight hexadecimal digits that stand for a JSON value, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]
