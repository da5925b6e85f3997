"""Where the tests find kernel trees.

The environment variable MMLINT_KERNELS names a folder that holds linux-source-6.12 and linux-source-6.1, as Debian's
packages of that name unpack; without it ~/.cache/mmlint/kernels is tried.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("MMLINT_KERNELS") or Path.home() / ".cache/mmlint/kernels")


def kernel(version: str) -> Path:
    """The tree of a version ("6.12"); skips the calling test when it is not there."""
    tree = FOLDER / f"linux-source-{version}"
    if not (tree / "mm" / "memory.c").is_file():
        pytest.skip(f"NO KERNEL {version}: {tree} not found; set MMLINT_KERNELS to check against real code")
    return tree


def kernel_headers(version: str) -> tuple[Path, Path]:
    """The common and the amd64 folder of Debian's linux-headers, unpacked as linux-headers-6.12 beside the trees."""
    folder = FOLDER / f"linux-headers-{version}" / "usr/src"
    common, amd64 = sorted(folder.glob("*-common")), sorted(folder.glob("*-amd64"))
    if not common or not amd64:
        pytest.skip(f"NO KERNEL HEADERS {version}: {folder} not found; unpack linux-headers to compare with clang")
    return common[0], amd64[0]
