"""What having read test rows is worth: models trained on all published train rows, and without those tested as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dfar_bench.datasets import rows, without_leaked
from dfar_bench.runs.baselines import subsets
from dfar_bench.runs.encoders import PUBLISHED, Encoder, memory, read_encoder, seeds_answers
from dfar_bench.scoring import METRICS, Answer, estimates
from dfar_bench.scoring.seeds import mean_over_seeds
from tables.data import ALWAYS, classical
from tables.experiments import QUANTITIES, of_seeds
from tables.formats import ROOT, estimated, percent, table

Seeds = Sequence[Sequence[Answer]]
HEAD = "model, trained on|all 500|189 leaked|311 unleaked|all 500, by seed"
TRAINED_ON = {"all": "all", "unleaked": "without the leaked rows"}
PUBLISHED_ENCODERS = {"bert": "BERT", "distilbert": "DistilBERT"}


def _lines(model: str, trained: Mapping[str, Seeds]) -> list[list[str]]:
    """Return the accuracy of a model trained in both ways, the difference, and what the constant verdict scores."""
    acc, train = METRICS["acc"], rows("paper")["train"]
    sizes = {"all": len(train), "unleaked": len(without_leaked(train, rows("paper")["test"]))}
    lines = []
    for way, title in TRAINED_ON.items():
        parts = [subsets(answers) for answers in trained[way]]
        means = [mean_over_seeds([acc], [part[subset] for part in parts])["acc"] for subset in parts[0]]
        lines.append([f"{model}, {title} ({sizes[way]:,} rows)", *map(estimated, means), _by_seed(trained[way])])
    worth = memory(trained["unleaked"], trained["all"]).values()
    lines.append([f"{model}, difference", *(estimated(one.difference, "+") for one in worth), ""])
    constant = subsets(classical("paper")[ALWAYS])
    return [*lines, [ALWAYS, *(estimated(estimates([acc], part)["acc"]) for part in constant.values()), ""]]


def _by_seed(seeds: Seeds) -> str:
    return ", ".join(percent(METRICS["acc"].of(answers)) for answers in seeds)


def _encoder(name: str) -> Encoder:
    """Return the committed encoder of a data set."""
    (path,) = (ROOT / "leaderboard" / "baselines").glob(f"{name}-*.json")
    return read_encoder(path)


def encoders_paper() -> str:
    encoder = _encoder("paper")
    lines = _lines(encoder.model, {way: seeds_answers(encoder, way) for way in TRAINED_ON})
    lines += [
        [f"{PUBLISHED_ENCODERS[model]}, as published", percent(value), "", "", ""] for model, value in PUBLISHED.items()
    ]
    return table(HEAD, lines)


def encoders_clean() -> str:
    acc, encoder = METRICS["acc"], _encoder("clean")
    seeds = seeds_answers(encoder, "all")
    constant = estimates([acc], classical("clean")[ALWAYS])
    lines = [
        [encoder.model, estimated(mean_over_seeds([acc], seeds)["acc"]), _by_seed(seeds)],
        [ALWAYS, estimated(constant["acc"]), ""],
    ]
    return table("model|accuracy|by seed", lines)


def language_model_paper() -> str:
    """L on the published train rows, as the encoders above."""
    (acc,) = (one for one in QUANTITIES if one.metric.name == "acc" and not one.condition)
    trained = {
        "all": of_seeds("leak_270m_with", "l", acc),
        "unleaked": of_seeds("leak_270m_without", "l", acc),
    }
    return table(HEAD, _lines("Gemma 3 270M, L", trained))
