"""Put `checkpoints/` and `corpora/` into the wheel, and leave them where they are in an editable install.

hatch's own `force-include` copies the files into site-packages for an editable install too, where
the copies would grow stale beside the repository's.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ShippedFilesHook(BuildHookInterface):
    """Adds the shipped folders to standard wheels."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "standard":
            build_data["force_include"].update({name: f"lstmtext/{name}" for name in ("checkpoints", "corpora")})
