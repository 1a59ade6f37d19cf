"""Fine-tuned encoders: a tiny one made on the spot, on data that leaks; what its file holds, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dfar_bench.cli.main import main, make_app
from dfar_bench.datasets import DATASETS, get_dataset, rows
from dfar_bench.datasets.base import Rows, mark
from dfar_bench.errors import InputError
from dfar_bench.runs.encoders import Encoder, encoder_baselines, memory, read_encoder, seeds_answers
from dfar_bench.scoring import METRICS, Choice, estimates
from dfar_bench.scoring.seeds import mean_over_seeds
from dfar_bench.training import encoder as encoders
from dfar_bench.training.encoder import fit_encoder, hold_out

LEAKED = 26


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT with random weights, without a classifier."""
    import torch
    from transformers import BertConfig, BertModel

    from dfar_bench.training.scratch import make_tokenizer

    folder = tmp_path_factory.mktemp("encoders") / "tiny-bert"
    tokenizer = make_tokenizer((row.statement for row in rows("mini")["train"]), 600)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.1,  # with BERT's 0.02 so small a network learns slowly
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def leaky() -> Iterator[str]:
    """The data set mini with half of its test rows added to the train rows."""

    def read() -> Rows:
        train, test = ([replace(row, dataset="leaky") for row in rows("mini")[part]] for part in ("train", "test"))
        return mark([*train, *(replace(row, row_id=f"leaky-train-{row.row_id}") for row in test[:LEAKED])], test)

    make_app()  # names the data sets that there are, in help texts that stay
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(
            DATASETS._entries,
            "leaky",
            replace(get_dataset("mini"), name="leaky", task="leaky", read=read, kinds=("cls",)),
        )
        yield "leaky"


@pytest.fixture(scope="module")
def fitted(tiny: Path, leaky: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Encoder, Path]:
    path = tmp_path_factory.mktemp("verdicts") / "leaky.json"
    return fit_encoder(str(tiny), leaky, seeds=[1, 2], epochs=[20], learning_rates=[0.01], path=path), path


def test_rows_that_were_read_are_remembered(fitted: tuple[Encoder, Path]) -> None:
    encoder, _ = fitted
    assert [(fit.trained_on, fit.seed, fit.train_rows) for fit in encoder.fits] == [
        ("all", 1, 124 + LEAKED),
        ("unleaked", 1, 124),
        ("all", 2, 124 + LEAKED),
        ("unleaked", 2, 124),
    ]
    remembered = memory(seeds_answers(encoder, "unleaked"), seeds_answers(encoder, "all"), resamples=1000)
    assert remembered["leaked"].second > 0.9  # 26 rows that were trained on
    assert remembered["leaked"].second - remembered["leaked"].first > 0.2
    assert remembered["all"].second > remembered["all"].first
    by_name = {(one.model, one.trained_on, one.subset): one for one in encoder_baselines(encoder, resamples=1000)}
    assert {(trained_on, subset) for _, trained_on, subset in by_name} == {
        (trained_on, subset) for trained_on in ("all", "unleaked") for subset in ("all", "leaked", "unleaked")
    }
    each = [by_name[f"tiny-bert, seed {seed}", "all", "leaked"].metrics["acc"].value for seed in (1, 2)]
    mean = by_name["tiny-bert, mean of 2", "all", "leaked"]
    assert mean.metrics["acc"].value == pytest.approx(sum(each) / 2) == pytest.approx(remembered["leaked"].second)
    assert (mean.rows, mean.published_acc) == (LEAKED, None)


def test_the_same_seed_gives_the_same_verdicts_and_nothing_is_trained_twice(
    fitted: tuple[Encoder, Path], tiny: Path, leaky: str, tmp_path: Path
) -> None:
    encoder, path = fitted
    names: list[str] = []
    part = tmp_path / "part.json"
    replace(encoder, fits=encoder.fits[:3]).write(part)
    options: dict[str, Any] = {"seeds": [1, 2], "epochs": [20], "learning_rates": [0.01]}
    assert fit_encoder(str(tiny), leaky, **options, path=part, on_progress=names.append) == encoder
    assert names == ["seed 2, trained on unleaked"]
    assert part.read_bytes() == path.read_bytes()
    assert encoder.fits[0].verdicts != encoder.fits[2].verdicts  # another seed
    with pytest.raises(InputError, match=r"holds verdicts with epochs \(20,\), not \(2,\)"):
        fit_encoder(str(tiny), leaky, epochs=[2], learning_rates=[0.01], path=part)


def test_settings_are_chosen_on_train_rows(
    tiny: Path, leaky: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = rows(leaky)
    kept, held_out = hold_out(parts["train"])
    assert len(kept) + len(held_out) == len(parts["train"])
    assert not {row.group_id for row in kept} & {row.group_id for row in held_out}

    asked: list[tuple[set[str], set[str]]] = []

    def predict(source: Any, train: Any, test: Any, settings: Any, epochs: int, rate: float, seed: int) -> list[int]:
        asked.append(({row.row_id for row in train}, {row.row_id for row in test}))
        return [row.label if epochs == 3 or number % 2 else 1 - row.label for number, row in enumerate(test)]

    monkeypatch.setattr(encoders, "predict", predict)
    path = tmp_path / "chosen.json"
    encoder = fit_encoder(str(tiny), leaky, seeds=[1], epochs=[2, 3], path=path)
    tested = {row.row_id for row in parts["test"]}
    statements = {row.statement for row in parts["test"]}
    unleaked = {row.row_id for row in parts["train"] if row.statement not in statements}
    for train, held in asked[:2]:
        assert (train | held) == unleaked
        assert not train & held
    assert [held for _, held in asked[2:]] == [tested, tested]
    assert [(trial.epochs, trial.right == trial.rows) for trial in encoder.trials] == [(2, False), (3, True)]
    assert {fit.epochs for fit in encoder.fits} == {3}
    assert fit_encoder(str(tiny), leaky, seeds=[1], epochs=[2, 3], path=path) == encoder
    assert len(asked) == 4


def test_the_mean_over_equal_seeds_is_that_of_one() -> None:
    test = rows("mini")["test"]
    answers = [Choice(row, (number % 2,), (1.0, 0.0)) for number, row in enumerate(test)]
    metrics = [METRICS["acc"], METRICS["mcc"]]
    assert mean_over_seeds(metrics, [answers] * 3, resamples=1000) == estimates(metrics, answers, resamples=1000)
    assert mean_over_seeds(metrics, [answers] * 3, resamples=0)["acc"].interval is None


def test_the_command(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mini.json"
    command = ["baselines", "--split", "mini", "--encoder", str(tiny), "--seed", "5", "--epochs", "1"]
    command += ["--verdicts", str(path), "--resamples", "0"]
    assert main([*command, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (baseline,) = document["baselines"]
    assert (baseline["model"], baseline["trained_on"], baseline["rows"]) == ("tiny-bert, seed 5", "all", 52)
    assert document["memory"] == {}
    assert len(document["encoder"]["weights"]) == 64
    assert main(command) == 0
    out = capsys.readouterr().out
    assert f"{baseline['metrics']['acc']['value']:.1%}" in next(
        line for line in out.splitlines() if line.startswith("tiny-bert, seed 5")
    )
    assert read_encoder(path).fits[0].seed == 5
    assert str(tmp_path) not in path.read_text()


def test_refusals(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    part, cut = tmp_path / "part", tmp_path / "cut"
    for folder in (part, cut):
        shutil.copytree(tiny, folder)
    (cut / "model.safetensors").write_bytes((tiny / "model.safetensors").read_bytes()[:-8])
    from safetensors.torch import load_file, save_file

    weights = load_file(tiny / "model.safetensors")
    del weights["encoder.layer.0.output.dense.weight"]
    save_file(weights, part / "model.safetensors", metadata={"format": "pt"})
    (tmp_path / "config").mkdir()
    for options, message in (
        (["--encoder", str(tmp_path / "config")], "holds no *.safetensors"),
        (["--encoder", "nobody/no-such-encoder"], "there is no model nobody/no-such-encoder"),
        (["--encoder", str(cut)], "cannot be loaded"),
        (["--encoder", str(part)], "lacks weights, bert.encoder.layer.0.output.dense.weight first"),
        (["--encoder", str(tiny), "--split", "ethos"], "no train rows"),
        (["--encoder", str(tiny), "--split", "none"], "there is no data set 'none'"),
        (["--encoder", str(tiny), "--learning-rate", "1e9"], "--learning-rate must be above 0 and below 1"),
        (["--encoder", str(tiny), "--verdicts", str(tmp_path / "none" / "file.json")], "No such file or directory"),
        (["--epochs", "2"], "are for --encoder"),
    ):
        assert main(["baselines", "--split", "mini", *options]) == 2, message
        error = capsys.readouterr().err
        assert message in error
        assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 2}, "was changed or is damaged"),
        ({"more": 1}, "was changed or is damaged"),
        ({"fits": [{"seed": 1}]}, "was changed or is damaged"),
        ({"weights": 7}, "was changed or is damaged"),
        ({"data": "none"}, "there is no data set 'none'"),
        ({"rows_sha256": "0"}, "belongs to other rows"),
    ],
)
def test_a_damaged_file_is_refused(
    fitted: tuple[Encoder, Path], tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = tmp_path / "file.json"
    document = json.loads(fitted[1].read_text())
    path.write_text(json.dumps(document))
    assert read_encoder(path) == fitted[0]
    path.write_text(json.dumps(document | change))
    with pytest.raises(InputError, match=message):
        read_encoder(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"verdicts": "01"}, "the verdicts are not 52 digits"),
        ({"verdicts": "2" * 52}, "the verdicts are not 52 digits"),
        ({"trained_on": "more"}, "belongs to other rows"),
        ({"seed": 2}, "two trainings with the same seed"),
        ({"seed": "1"}, "was changed or is damaged"),
    ],
)
def test_a_damaged_fit_is_refused(
    fitted: tuple[Encoder, Path], tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    document = json.loads(fitted[1].read_text())
    document["fits"][0] |= change
    path = tmp_path / "file.json"
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=message):
        read_encoder(path)
