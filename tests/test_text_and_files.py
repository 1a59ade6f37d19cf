"""The foundations: text comparison, files, registries and plugins."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from dfar_bench.errors import InputError, one_line
from dfar_bench.files import atomic_write, build_checked, read_json, read_jsonl
from dfar_bench.registry import PLUGINS, Registry
from dfar_bench.text import common_prefix, normalize, short_hash, words


def test_texts_are_compared_without_case_spacing_and_punctuation() -> None:
    assert normalize("  I\u00a0Waited \n for it. ") == "i waited for it."
    assert words("It’s Ann's: “fine”, No. 2!") == ("it's", "ann's", "fine", "no", "2")
    assert words("a " * 20_000) == ("a",) * 20_000
    assert common_prefix(["a", "b", "c"], ["a", "b", "d"]) == 2
    assert common_prefix([], ["a"]) == 0
    assert one_line(ValueError("two\n  lines")) == "two lines"


def test_a_short_hash_does_not_depend_on_the_order_of_keys() -> None:
    assert short_hash({"until": ["x"], "do_sample": False}) == short_hash({"do_sample": False, "until": ["x"]})
    assert short_hash([1, 2]) != short_hash([2, 1])
    assert len(short_hash("")) == 8


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic_write(path, "one\n")
    atomic_write(path, b"two\n")
    assert path.read_text() == "two\n"
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder") as error:
        atomic_write(tmp_path / "folder", "x")
    assert error.value.filename == str(tmp_path / "folder")
    with pytest.raises(OSError, match="missing"):
        atomic_write(tmp_path / "missing" / "file", "x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1}\n{"a": ', r"x\.jsonl, line 2: not valid JSON"),
        (b"\xff\xfe\x00\x01", "is not UTF-8 text: name my file"),
        (b"[" * 200_000, "nested too deeply|not valid JSON"),
        (None, r"x\.jsonl cannot be read \(No such file"),
    ],
)
def test_unreadable_json_lines(content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        list(read_jsonl(path, "my file"))


def test_json_files(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    with pytest.raises(InputError, match=r"x\.json cannot be read .*: name my file"):
        read_json(path, "my file")
    for content in ('{"a": ', "[" * 200_000):
        path.write_text(content)
        with pytest.raises(InputError, match=r"x\.json is not valid JSON; it is damaged, or not my file"):
            read_json(path, "my file")
    path.write_text('{"a": 1}')
    value = read_json(path, "my file")
    assert build_checked(value, lambda value: value["a"], path) == 1
    with pytest.raises(InputError, match=r"was changed or is damaged \(KeyError"):
        build_checked(value, lambda value: value["b"], path)


@dataclass(frozen=True)
class Fruit:
    name: str


def test_a_registry_keeps_its_order_and_suggests_names() -> None:
    fruits: Registry[Fruit] = Registry("fruit")
    pear = fruits.add(Fruit("pear"))
    fruits.add(Fruit("apple"))
    assert list(fruits) == ["pear", "apple"]
    assert fruits["pear"] is fruits.find("pear") is pear
    with pytest.raises(ValueError, match="there is a fruit 'pear' already"):
        fruits.add(Fruit("pear"))
    with pytest.raises(InputError, match=r"there is no fruit 'aple': did you mean apple\?"):
        fruits.find("aple")
    for name in ("zzz", None, 7):
        with pytest.raises(InputError, match="choose one of pear, apple"):
            fruits.find(name)


# Like one that adds an entry and then fails, it would fail otherwise if it were executed again.
HALF_WAY = "from pathlib import Path; Path(__file__).with_name('entry').mkdir(); 1 / 0"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("mine.py", None, r"names \S+mine\.py, which is not a file: correct it or unset it"),
        ("mine.txt", "", r"which is not a Python file"),
        ("mine.py", "raise ValueError('no\\n good')", r"mine\.py fails \(ValueError: no good\)"),
        ("mine.py", "import", r"mine\.py fails \(SyntaxError: "),
        ("mine.py", HALF_WAY, r"mine\.py fails \(ZeroDivisionError: "),
        ("mine.py", "from dfar_bench.datasets import DATASETS; DATASETS.find('mnii')", "did you mean mini?"),
    ],
)
def test_plugins_that_fail(
    name: str, content: str | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    fruits: Registry[Fruit] = Registry("fruit")
    monkeypatch.setenv(PLUGINS, str(path))
    for _ in range(2):  # no look-up goes on without the file
        with pytest.raises(InputError, match=message):
            len(fruits)


def test_plugins_of_the_same_name_in_two_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / folder / "mine.py" for folder in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        path.touch()
    monkeypatch.setenv(PLUGINS, os.pathsep.join(map(str, paths)))
    assert len(Registry("fruit")) == 0
    files = [getattr(module, "__file__", None) for module in sys.modules.values()]
    assert {str(path) for path in paths} <= set(files)


def test_plugins_are_executed_once_each(tmp_path: Path) -> None:
    for name in ("one", "two"):
        code = f"from dfar_bench.prompts import STYLES, Style; STYLES.add(Style({name!r}, 1, '{{ask}}', '', ''))"
        (tmp_path / f"{name}.py").write_text(code)
    code = "from dfar_bench.prompts import STYLES; print(*STYLES); print(len(STYLES), STYLES.find('two').signature)"
    plugins = os.pathsep.join(str(tmp_path / f"{name}.py") for name in ("one", "two"))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, PLUGINS: plugins}
    )
    assert done.stdout == "llama2 mistral plain chat chat_b chat_c continued dialogue messages one two\n11 two.v1\n", (
        done.stderr
    )
