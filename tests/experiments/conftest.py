"""The toy experiment for the tests of the frame and of the command."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def toy() -> dict[str, Any]:
    """The names of toy.py."""
    return runpy.run_path(str(Path(__file__).parent / "toy.py"))
