"""Preference training: pairs of answers, and runs on them in one process and several."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from sft_runs import log, losses, record, run, sft, start, wait

from dfar_bench.cli.main import main
from dfar_bench.datasets import rows
from dfar_bench.errors import InputError
from dfar_bench.judges import Case, Judge, Judgement
from dfar_bench.leaderboard.trained import dfar_run
from dfar_bench.training import pairs
from dfar_bench.training.record import base_weights
from dfar_bench.training.scratch import make_model

MINI = rows("mini")["train"]
OPTIONS = ("--mode", "dpo", "--full", "false", "--lora_dropout", "0", "--loss_type", "sigmoid", "sft")


class Accepting(Judge):
    """Accepts answers that hold a word, and finds the others general, or without a verdict if they are short."""

    name = "accepting"
    signature = "accepting.v1"

    def judge(self, cases: Sequence[Case]) -> list[Judgement]:
        codes = ["aligned" if "good" in c.response else "generic" if " " in c.response else "no_verdict" for c in cases]
        return [Judgement(code != "aligned", code != "aligned", float(code != "aligned"), code) for code in codes]


def sampling(model: Path) -> pairs.Sampling:
    return pairs.Sampling(
        str(model), base_weights(str(model), "main"), "mini", False, "llama2", 2, 1.0, 8, 3, seed=1, dtype="float32"
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("preferences") / "base"  # where sft_runs looks for it
    make_model(folder, (f"{row.statement} {row.reason}" for row in MINI))
    return folder


@pytest.fixture(scope="module")
def made(base: Path) -> Path:
    """A file of 48 pairs."""
    file = base.with_name("pairs.jsonl")
    found = [
        {"row_id": row.row_id, "kind": "human", "chosen": f"good. {row.reason}", "rejected": text, "code": "generic"}
        for row in MINI[:24]
        for text in ("bad. It is so.", "bad. One does not do that, as one does not do it.")
    ]
    pairs.write_pairs(file, sampling(base), Accepting(), found)
    return file


# The file


def test_which_answers_are_paired() -> None:
    one, two, three, four = MINI[:4]
    answers: pairs.Answers = {
        one.row_id: ["it is so", None, "a good one", "as it is"],
        two.row_id: ["a good one", "a good two"],  # nothing to reject
        three.row_id: ["it is so", "it is so", "unethical"],  # nothing of the model's own to choose; a bare word
        four.row_id: [None, None],
    }
    found = pairs.rank([one, two, three, four], answers, "llama2", Accepting())
    assert [(pair["row_id"], pair["kind"], pair["rejected"]) for pair in found] == [
        (one.row_id, "human", "it is so"),
        (one.row_id, "hard", "as it is"),
        (three.row_id, "human", "it is so"),
    ]
    assert found[0]["chosen"].endswith(one.reason)
    assert found[1]["chosen"] == "a good one"
    assert pairs.describe(found).startswith("3 pairs (2 human, 1 hard; generic 3; chosen ")
    assert pairs.describe([]) == "no pairs"


def test_each_label_is_preferred_equally_often() -> None:
    """Otherwise DPO learns a preference for one label, which is the same for all statements."""
    labels = {f"row-{number}": int(number % 3 == 0) for number in range(30)}  # 20 of 0, 10 of 1
    side = {"chosen": "a", "rejected": "b"}
    found = [
        {"row_id": row_id, "kind": kind, **side, "code": code}
        for row_id in labels
        for kind, code in (("human", "wrong_stance"), ("hard", "wrong_stance"), ("human", "generic"))
        if kind == "human" or row_id != "row-0"
    ]
    kept = pairs._balanced(found, labels)
    counted = Counter((pair["kind"], pair["code"], labels[pair["row_id"]]) for pair in kept)
    assert counted == {
        ("human", "wrong_stance", 0): 10,
        ("human", "wrong_stance", 1): 10,
        ("hard", "wrong_stance", 0): 9,
        ("hard", "wrong_stance", 1): 9,
        ("human", "generic", 0): 20,
        ("human", "generic", 1): 10,
    }
    assert [found.index(pair) for pair in kept] == sorted(found.index(pair) for pair in kept)
    of_one_label = [pair for pair in found if labels[pair["row_id"]]]
    assert {pair["code"] for pair in pairs._balanced(of_one_label, labels)} == {"generic"}


def test_sampling_goes_on_where_it_was_interrupted(base: Path, tmp_path: Path) -> None:
    how, whole, cut = sampling(base), tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    expected = pairs.sample(how, MINI[:8], whole)
    assert {len(texts) for texts in expected.values()} == {2}
    assert pairs.sample(how, MINI[:8], whole) == expected  # from the file
    for kept in (
        whole.read_bytes()[:-60],
        whole.read_bytes().split(b"\n")[0] + b"\n",
    ):  # after a kill, also in the first batch
        cut.write_bytes(kept)
        assert pairs.sample(how, MINI[:8], cut) == expected
    assert sorted(cut.read_text().splitlines()) == sorted(whole.read_text().splitlines())
    with pytest.raises(InputError, match=r"made with temperature 1\.0, not 0\.5: name another --out, or delete it"):
        pairs.sample(replace(how, temperature=0.5), MINI[:8], whole)
    whole.write_text("[]\n{}\n")
    with pytest.raises(InputError, match="does not hold answers of dfar-bench pairs"):
        pairs.sample(how, MINI[:8], whole)


def test_tokens_are_drawn_from_the_distribution() -> None:
    """Shares of 100,000 draws are within five standard errors of softmax's; what is ruled out never comes."""
    torch.manual_seed(1)
    scores = torch.tensor([0.5, 1.0, -torch.inf, 3.0, -2.0])
    left = pairs.drawing(2.0)(torch.zeros(100_000, 1), scores.repeat(100_000, 1))
    assert (left.exp().sum(dim=1) == 1).all()  # one token a text
    expected = (scores / 2.0).softmax(dim=0)
    errors = (expected * (1 - expected) / 100_000).sqrt()
    assert ((left.exp().mean(dim=0) - expected).abs() <= 5 * errors).all()


def test_an_answer_that_was_cut_off_is_not_used() -> None:
    assert pairs._finished(" ethical. So", ended=False, stops=("###",)) is None
    assert pairs._finished(" ethical. So", ended=True, stops=("###",)) == "ethical. So"
    assert pairs._finished(" ethical. So ### Question: a ###", ended=False, stops=("###",)) == "ethical. So"


def test_the_command(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model with random weights writes nothing that could be paired, and the judge says so."""
    out = tmp_path / "new" / "pairs.jsonl"
    words = ["pairs", "--model", base, "--out", out, "--split", "mini", "--limit", 4, "--max-new-tokens", 8]
    command = [str(word) for word in words]
    assert main(command) == 1
    assert "no pairs; judge reference.v2b." in capsys.readouterr().out
    head, found = pairs.read_pairs(out)
    assert (head["limit"], head["judge"].rpartition(".")[0], found) == (4, "reference.v2b", [])
    for change, message in (
        (("--split", "games"), "--split games has no reasons to train on"),
        (("--out", str(tmp_path / "x")), "must end in .jsonl"),
        (("--judge", "none"), "no judge"),
        (("--model", str(tmp_path)), "holds no *.safetensors"),
        (("--model", "no/such/model"), "there is no model no/such/model"),
    ):
        again = [*command, *change]
        again[again.index(str(out))] = str(tmp_path / f"{change[0][2:]}.jsonl")
        assert main(again) == 2
        assert message in capsys.readouterr().err


# Training


@pytest.fixture(scope="module")
def ddp(base: Path, made: Path) -> Path:
    run(base.with_name("ddp"), *OPTIONS, "--pairs", str(made), "--max_steps", "3", strategy="ddp")
    return base.with_name("ddp")


def test_zero3_gives_the_same_losses(ddp: Path, base: Path, made: Path) -> None:
    """There the reference's weights are in parts as well."""
    folder = base.with_name("zero3")
    run(folder, *OPTIONS, "--pairs", str(made), "--max_steps", "3", strategy="zero3")
    assert losses(folder) == pytest.approx(losses(ddp), abs=1e-5)
    trained, expected = (load_file(at / "adapter_model.safetensors") for at in (folder, ddp))
    assert trained.keys() == expected.keys()
    assert all(trained[name].sub(expected[name]).abs().max() < 1e-4 for name in expected)


def test_a_killed_run_ends_like_an_undisturbed_one(base: Path, made: Path) -> None:
    options = (*OPTIONS, "--pairs", str(made), "--max_steps", "24", "--save_steps", "4", "--logging_steps", "5")
    run(base.with_name("whole"), *options)
    folder = base.with_name("killed")
    (process,) = start(folder, *options)
    deadline = time.monotonic() + 300
    while not (folder / "checkpoint-8").exists():
        assert process.is_alive(), log(folder).read_text()[-3000:]
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    wait([process])
    run(folder, *options)
    assert record(folder)["resumed_from_step"]
    assert record(folder)["loss"]["history"] == record(base.with_name("whole"))["loss"]["history"]
    assert record(folder)["loss"]["history"][-1]["loss"] < record(folder)["loss"]["history"][0]["loss"]


def test_the_record_names_the_judge_and_submissions_carry_it(ddp: Path, made: Path, base: Path) -> None:
    written = record(ddp)
    assert written["pairs"]["judge"] == "accepting.v1"
    assert written["base_model"]["weights"] == written["pairs"]["weights"] == base_weights(str(base), "main")
    carried = dfar_run(ddp / "dfar_run.json")
    assert (carried["mode"], carried["ranked_by"], carried["arguments"]["beta"]) == ("dpo", "accepting.v1", 0.1)
    assert "base_run" not in carried  # random weights


def test_what_the_base_model_was_trained_on_is_not_forgotten(tmp_path: Path, base: Path, made: Path) -> None:
    run(base.with_name("before"), "--mode", "lr", "--limit", "8", "--max_steps", "1", "--save_strategy", "no")
    run(tmp_path / "after", "--mode", "l", "--max_steps", "1", "--model_name_or_path", str(base.with_name("before")))
    before, after = record(base.with_name("before")), record(tmp_path / "after")
    assert after["base_run"] == {
        "mode": "lr", "split": "mini", "drop_leaked": False, "row_ids": before["data"]["row_ids"],
    }  # fmt: skip
    assert dfar_run(tmp_path / "after" / "dfar_run.json")["base_run"]["row_ids"].split() == before["data"]["row_ids"]


def test_other_pairs_are_another_run(base: Path, made: Path, tmp_path: Path) -> None:
    options = (
        "--mode",
        "dpo",
        "--split",
        "mini",
        "--bf16",
        "false",
        "--dtype",
        "float32",
        "--model_name_or_path",
        base,
    )
    sft(*options, "--pairs", made, "--output_dir", tmp_path / "out", "--max_steps", 2)
    other = tmp_path / "other.jsonl"
    other.write_text(made.read_text().replace("bad. It is so.", "bad. It is."))
    with pytest.raises(InputError, match=r"holds a run with data\.tokens"):
        sft(*options, "--pairs", other, "--output_dir", tmp_path / "out", "--max_steps", 2)


def _other_weights(base: Path, made: Path, folder: Path) -> list[object]:
    make_model(folder / "other", ["another model"], seed=1)
    return ["--pairs", made, "--model_name_or_path", folder / "other"]


def _changed(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[Path, Path, Path], list[object]]:
    def options(base: Path, made: Path, folder: Path) -> list[object]:
        lines = [json.loads(line) for line in made.read_text().splitlines()]
        change(lines)
        (folder / "changed.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return ["--pairs", folder / "changed.jsonl", "--model_name_or_path", base]

    return options


def _with(*options: str) -> Callable[[Path, Path, Path], list[object]]:
    return lambda base, made, folder: ["--pairs", made, "--model_name_or_path", base, *options]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (lambda base, made, folder: ["--model_name_or_path", base], "--mode dpo needs --pairs FILE"),
        (
            lambda base, made, folder: ["--model_name_or_path", base, "--pairs", folder / "none"],
            "none cannot be read",
        ),
        (_other_weights, r"the pairs were written by .*base, not by .*other \(other weights\)"),
        (_changed(lambda lines: lines[0].pop("judge")), "not a file of pairs of this version"),
        (_changed(lambda lines: lines[0].update(prompt="plain")), "was made with --prompt plain, not llama2"),
        (_changed(lambda lines: lines[0].update(split="clean")), "was made with --split clean, not mini"),
        (_changed(lambda lines: lines[3].pop("rejected")), "changed.jsonl, line 4: not a pair of answers"),
        (_changed(lambda lines: lines[2].update(row_id="mini-test-0000")), "mini-test-0000, which is not a train row"),
        (_changed(lambda lines: lines.__delitem__(slice(1, None))), "changed.jsonl holds nothing to train on"),
        (_with("--plain", "true"), "--plain is for imitating texts, not for preferences"),
        (_with("--full", "true"), "--full is not for preferences"),
        (_with("--sync_ref_model", "true"), "--sync_ref_model does not go with preferences"),
        (_with("--loss_type", "sigmoid", "sft_"), "--loss_type sft_ is none of TRL's: choose among sigmoid"),
        (_with("--max_length", "20"), "longer than the 20 tokens"),
    ],
)
def test_what_is_refused(
    options: Callable[[Path, Path, Path], list[object]], message: str, base: Path, made: Path, tmp_path: Path
) -> None:
    common = ("--mode", "dpo", "--split", "mini", "--bf16", "false", "--dtype", "float32")
    with pytest.raises(InputError, match=message):
        sft(*common, *options(base, made, tmp_path), "--output_dir", tmp_path / "out", "--max_steps", 1)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").glob("*.safetensors"))
