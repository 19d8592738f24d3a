"""The wheel: what is in it, and that it answers where torch, the repository and the network are not.

It is built from a copy of the tree with a model in `checkpoints/` and with litter that must not get in,
and installed into an empty environment that sees only the packages the torch-free rooms import.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

import lstmtext

ROOT = Path(__file__).resolve().parents[2]
# What the torch-free rooms import, with what these import themselves. torch is not there.
LIGHT = ("click", "msgspec", "numpy", "platformdirs", "safetensors", "tokenizers")
LITTER = (
    "runs/demo/events.jsonl",
    "tests/test_x.py",
    "lstmtext/__pycache__/config.cpython-311.pyc",
    "corpora/harbour/.ruff_cache/x",
    "checkpoints/tiny/__pycache__/x.pyc",
    ".venv/lib/junk.py",
    "dist/old.whl",
)
BELONGS = re.compile(
    r"lstmtext/(\w+/){0,2}\w+\.py"
    r"|lstmtext/tui/(screens/)?\w+\.tcss"
    r"|lstmtext/recipes/[\w.-]+\.(toml|md)"
    r"|lstmtext/corpora/(library\.toml|check_everyday\.py|(dictionary|negated)_labels\.tsv\.xz|[\w-]+/(LICENSE|README\.md|[\w-]+\.(txt|tsv)))"
    r"|lstmtext/checkpoints/[\w-]+/(config\.json|tokenizer\.json|model\.safetensors|README\.md)"
    r"|lstmtext/checkpoints/(\.gitkeep|memory/.+\.json)"
    r"|lstmtext-[\d.]+\.dist-info/(METADATA|WHEEL|RECORD|entry_points\.txt|licenses/.+)"
)

write_tiny = runpy.run_path(str(ROOT / "tests" / "engine" / "tiny.py"))["write_tiny"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without network from a copy of the tree."""
    tree = tmp_path_factory.mktemp("source") / "lstmtext"
    for folder in ("lstmtext", "corpora", "checkpoints"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / file, tree)
    write_tiny(tree / "checkpoints" / "tiny")
    for litter in LITTER:
        path = tree / litter
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("litter")
    out = tree.parent / "wheels"
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)]
    subprocess.run(command, cwd=tree, check=True, capture_output=True, timeout=120)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path) -> Path:
    """An environment with the wheel and the light packages, each by a link of its own."""
    home = wheel.parent.parent / "environment"
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "--quiet"]
    subprocess.run([*install, "--disable-pip-version-check", str(wheel)], check=True, capture_output=True, timeout=120)
    (site,) = home.glob("lib/python*/site-packages")
    for name in LIGHT:
        distribution = importlib.metadata.distribution(name)
        tops = {file.parts[0] for file in distribution.files or () if file.parts[0] not in ("..", "__pycache__")}
        for top in tops:
            (site / top).symlink_to(Path(str(distribution.locate_file(top))).resolve())
    return python


@pytest.fixture
def call(python: Path, tmp_path: Path) -> Any:
    """call("generate", …) → what the installed `lstmtext` did in an empty folder."""
    empty = tmp_path / "empty"
    empty.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}

    def run(*arguments: str, program: str = "lstmtext", **options: Any) -> subprocess.CompletedProcess[str]:
        command = [str(python.parent / program), *arguments]
        return subprocess.run(
            command,
            cwd=empty,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            **options,
        )

    return run


def test_the_wheel_carries_what_belongs_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert not [name for name in names if not BELONGS.fullmatch(name)]
    package = ROOT / "lstmtext"
    wanted = [*package.rglob("*.py"), *package.rglob("*.toml")]
    assert {f"lstmtext/{path.relative_to(package).as_posix()}" for path in wanted} <= names
    for folder in ("corpora", "checkpoints"):
        shipped = [path for path in (ROOT / folder).rglob("*") if path.is_file()]
        assert {f"lstmtext/{path.relative_to(ROOT).as_posix()}" for path in shipped} <= names
    assert "lstmtext/checkpoints/tiny/model.safetensors" in names
    assert any(name.endswith("licenses/corpora/harbour/LICENSE") for name in names)


def test_it_answers_without_torch_from_another_folder(call: Any, python: Path) -> None:
    torch = call("-c", "import torch", program="python")
    assert "No module named 'torch'" in torch.stderr

    where = call("-c", "import lstmtext; print(lstmtext.__file__)", program="python").stdout
    assert where.startswith(str(python.parent.parent)), "the tests' own copy was imported"

    assert call("--version", check=True).stdout.strip().endswith(lstmtext.__version__)
    assert "Use a model" in call("--help", check=True).stdout

    listed = json.loads(call("models", "list", "--json", check=True).stdout)
    tiny = next(model for model in listed if model["model"] == "tiny")
    assert tiny["origin"] == "shipped"
    assert tiny["folder"].startswith(str(python.parent.parent))

    harbour = Path(call("corpora", "path", "harbour", check=True).stdout.strip())
    assert (harbour / "prose.txt").read_bytes() == (ROOT / "corpora" / "harbour" / "prose.txt").read_bytes()

    written = call("generate", "--model", "tiny", "--prompt", "To be", "--length", "20", "--seed", "1")
    assert (written.returncode, written.stderr) == (0, "")
    assert written.stdout.startswith("To be")
    again = lstmtext.load(tiny["folder"]).generate("To be", length=20, seed=1)
    assert written.stdout == f"{again.text}\n"


def test_the_shipped_model_writes(call: Any) -> None:
    if not (ROOT / "checkpoints" / "shakespeare" / "config.json").is_file():
        pytest.skip("checkpoints/shakespeare is not there yet")
    written = call("generate", "--prompt", "ROMEO:", "--length", "40", "--seed", "1")
    assert (written.returncode, written.stderr) == (0, "")
    assert written.stdout.startswith("ROMEO:")
