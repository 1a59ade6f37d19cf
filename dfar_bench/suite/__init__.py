"""The field's other moral tasks, each with the prompts and metrics of its own publication: one file for each.

Every module in this folder is imported when data sets are first looked up. It adds a data set, its conditions, its kind
of task and its metrics; nothing else needs to know it.
"""

import pkgutil
from importlib import import_module

for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    import_module(f"{__name__}.{_module}")
