"""The formats, one file each.

Every module in this folder is imported here, so a new file with a ``Format`` is a new format; nothing else needs to
know it.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

# The order in which formats are listed; others follow by name.
for _name in ("hub", "eee", "tidy", "latex", *sorted(module.name for module in pkgutil.iter_modules(__path__))):
    import_module(f"{__name__}.{_name}")
