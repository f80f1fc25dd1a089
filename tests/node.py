"""Node for the tests, with the modules that `make test` brings in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(__file__).parents[1] / ".tools"


def run(module: str, script: str, given: object) -> Any:
    """Run a script in the folder of a module; it gets ``given`` and answers as JSON.

    Skips where Node or the module is missing on a desk, fails where CI is set.
    """
    folder = TOOLS / module
    if shutil.which("node") is None or not (folder / "node_modules" / module).is_dir():
        message = (
            f"Node with {module} is not there: with npm on the PATH, `sh tests/packages.sh` brings it in"
        )
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    done = subprocess.run(
        ["node", "-e", script],
        cwd=folder,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)
