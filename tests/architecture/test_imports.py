"""The house: imports only downward, no torch where none belongs, every module imports alone."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import lstmtext

PACKAGE = Path(lstmtext.__file__).parent
# Rooms by floor; a module may import from lower floors and from its own room.
FLOORS = {
    "": 0,
    "text": 1,
    "store": 1,
    "model": 2,
    "engine": 2,
    "training": 3,
    "explain": 3,
    "scoring": 3,
    "experiments": 4,
    "forecast": 4,
    "api": 4,
    "export": 4,
    "tui": 5,
    "cli": 6,
    "__main__": 7,
}
WITHOUT_TORCH = {"", "text", "store", "engine", "explain", "scoring", "api", "export", "tui"}
# A roof window: the package looks up at the API when it is asked for a name of it.
EXCEPTIONS = {("lstmtext", "lstmtext.api")}

MODULES = sorted(
    ".".join(("lstmtext", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
)


def room(module: str) -> str:
    parts = module.split(".")
    if len(parts) == 1:
        return ""
    if parts[1] in FLOORS:
        return parts[1]
    assert len(parts) == 2, f"{module} is in a room that the house does not have"
    return ""


def imports(module: str) -> set[tuple[int, str]]:
    """(line, imported module) of every import statement, those inside functions too."""
    path = PACKAGE.joinpath(*module.split(".")[1:])
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {(node.lineno, alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {(node.lineno, name if name in MODULES else node.module) for name in names}
    return found


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module: str) -> None:
    for line, imported in imports(module):
        if imported.partition(".")[0] != "lstmtext" or (module, imported) in EXCEPTIONS:
            continue
        here, there = room(module), room(imported)
        assert here == there or FLOORS[there] < FLOORS[here], (
            f"{module}, line {line}: imports {imported}, which is on floor {FLOORS[there]}; own floor {FLOORS[here]}"
        )


@pytest.mark.parametrize("module", [name for name in MODULES if room(name) in WITHOUT_TORCH])
def test_no_torch_on_these_floors(module: str) -> None:
    for line, imported in imports(module):
        assert imported.partition(".")[0] != "torch", f"{module}, line {line}: imports torch"


def test_no_cycles_inside_a_room() -> None:
    graph = {
        module: {imported for _, imported in imports(module) if imported in MODULES and imported != module}
        for module in MODULES
    }
    graph["lstmtext"] = set()
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, f"import cycle: {' → '.join((*path, module))}"
        if module not in done:
            for other in graph[module]:
                visit(other, (*path, module))
            done.add(module)

    for module in MODULES:
        visit(module, ())


def test_every_module_imports_alone_and_the_torch_free_ones_without_torch() -> None:
    """One process that imports the torch-free floors, with torch made impossible; another that imports all."""
    light = [name for name in MODULES if room(name) in WITHOUT_TORCH or name.startswith("lstmtext.cli")]
    program = (
        "import sys, importlib\nsys.modules['torch'] = None\n"
        f"for name in {light!r}: importlib.import_module(name)\n"
        "assert not any(name.startswith('torch') and sys.modules[name] for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    for name in MODULES:
        if name != "lstmtext.__main__":
            importlib.import_module(name)


def test_public_names_exist() -> None:
    for info in pkgutil.walk_packages([str(PACKAGE)], "lstmtext."):
        if info.name == "lstmtext.__main__":
            continue
        module = importlib.import_module(info.name)
        for name in getattr(module, "__all__", ()):
            assert hasattr(module, name), f"{info.name}.__all__ names {name}, which is not there"


def test_files_stay_small() -> None:
    for path in PACKAGE.rglob("*.py"):
        lines = len(path.read_text().splitlines())
        assert lines <= 400, f"{path.name} has {lines} lines: look for the second idea in it"


def test_importing_the_package_imports_nothing() -> None:
    program = (
        "import sys; before = set(sys.modules); import lstmtext; new = set(sys.modules) - before; "
        "assert not any(name.partition('.')[0] in {'numpy', 'torch', 'msgspec', 'click', 'rich'} for name in new), new"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
