"""``data fetch``, ``data audit``, ``data noise`` and ``data split``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from dfar_bench.commands import FALLS_SHORT, FINE, Verbs, split_option


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Give the verbs to the parser."""
    data = verbs.add_parser("data", help="download and check the data").add_subparsers(required=True, metavar="VERB")
    fetch = data.add_parser("fetch", help="make sure that the published DFAR files are at hand")
    fetch.add_argument("--ethos", action="store_true", help="and the ETHOS file, which holds offensive comments")
    fetch.set_defaults(verb=_data_fetch)
    audit = data.add_parser("audit", help="leakage, contrast groups, duplicates, noise")
    split_option(audit)
    audit.add_argument("--json", action="store_true", help="print one JSON document, rows by id")
    audit.set_defaults(verb=_data_audit)

    noise = data.add_parser(
        "noise",
        help="rows with something odd, and by which rule, as CSV",
        description="List the rows whose reason goes against the label or names no verdict, and those with encoding "
        "faults, by row id and rule. The rules are the verdict parser's and patterns, not people's: of low precision.",
    )
    split_option(noise)
    noise.set_defaults(verb=_data_noise)
    divide = data.add_parser(
        "split",
        help="make the manifest of the clean split again",
        description="Make the manifest of the clean split again from the published files, and compare it with the one "
        "that comes with the package. Exit status 1 if they differ.",
    )
    divide.add_argument("--out", type=Path, metavar="FILE", help="write it there as well")
    divide.set_defaults(verb=_data_split)


def _data_fetch(arguments: argparse.Namespace) -> int:
    from dfar_bench.sources import DFAR_FILES, ETHOS_FILES, read_published

    for name in (*DFAR_FILES, *(ETHOS_FILES if arguments.ethos else ())):
        _, path = read_published(name)
        print(f"{path}: as published")
    return FINE


def _data_audit(arguments: argparse.Namespace) -> int:
    from dfar_bench.audit import as_text, audit

    report = audit(arguments.split)
    print(json.dumps(report, indent=2) if arguments.json else as_text(report))
    return FINE


def _data_noise(arguments: argparse.Namespace) -> int:
    from dfar_bench.audit import audit, noise_list

    print("row_id,rule")
    for row_id, rule in noise_list(audit(arguments.split)):
        print(f"{row_id},{rule}")
    return FINE


def _data_split(arguments: argparse.Namespace) -> int:
    from dfar_bench.clean import committed_manifest, manifest
    from dfar_bench.data import rows

    made = manifest(rows("paper"))
    if arguments.out:
        arguments.out.write_text(made, encoding="utf-8")
    same = made == committed_manifest()
    print("the manifest is the one of the package" if same else "the manifest differs from the one of the package")
    return FINE if same else FALLS_SHORT
