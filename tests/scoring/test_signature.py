from __future__ import annotations

import pytest

from dfar_bench.datasets import get_dataset
from dfar_bench.errors import InputError
from dfar_bench.scoring import Signature, find_task, tasks

OLD = (
    "dfar|split:mini|task:reason|prompt:llama2.v1|mode:lr|shots:0|chat:no|judge:verdict.v1"
    "|dfar_bench:0.1.0|lm_eval:0.4.13"
)
NEW = OLD.replace("split:", "data:").replace("mode:lr", "condition:reason")


def test_a_signature_is_its_text() -> None:
    signature = Signature.parse(NEW)
    assert str(signature) == NEW
    assert list(signature.fields)[:4] == ["data", "task", "prompt", "condition"]
    assert (signature.get("judge"), signature.get("rows"), signature.get("rows", "all")) == ("verdict.v1", "", "all")
    assert len({signature, Signature.parse(NEW), Signature(dict(reversed(signature.fields.items())))}) == 1


def test_signatures_of_earlier_versions_are_understood() -> None:
    assert Signature.parse(OLD) == Signature.parse(NEW)
    assert Signature.parse(OLD.replace("mode:lr", "mode:l")).get("condition") == "label"


def test_what_keeps_scores_apart() -> None:
    one = Signature.parse(NEW)
    other = Signature.parse(NEW.replace("0.4.13", "0.5").replace("shots:0", "shots:2|dtype:float32"))
    assert one.differences(other) == {"shots": ("0", "2"), "dtype": ("-", "float32"), "lm_eval": ("0.4.13", "0.5")}
    assert set(one.comparable().differences(other.comparable())) == {"shots"}
    assert Signature.parse(f"{NEW}|context:deadbeef").comparable() != Signature.parse(NEW).comparable()
    assert one.comparable() == Signature.parse(NEW.replace("0.1.0", "0.2.0").replace("llama2", "chat")).comparable()


def test_a_value_cannot_pass_for_another_field() -> None:
    signature = Signature.of(lm_eval="0.4|rows:9\n", shots=0, judge=None, data="x" * 99)
    assert str(signature) == f"dfar|lm_eval:0.4?rows?9?|shots:0|data:{'x' * 60}"


def test_tasks_are_data_sets_times_kinds() -> None:
    names = [f"{task}_{kind}" for task in ("dfar", "dfar_clean", "dfar_mini", "ethos") for kind in ("cls", "reason")]
    assert list(tasks())[:8] == names
    assert find_task("ethos_cls").dataset is get_dataset("ethos")
    with pytest.raises(InputError, match="there is no task 'dfar': choose one of dfar_cls, "):
        find_task("dfar")
