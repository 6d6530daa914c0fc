"""Builds the package with setuptools, from the sources as they are now and nothing else.

On its own, setuptools would pack what an earlier build left in `build` again, including files whose
sources are gone: after each update of a clone, the page's scripts of all earlier versions.
"""

import shutil
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import build_editable as build_editable
from setuptools.build_meta import build_sdist as build_sdist
from setuptools.build_meta import get_requires_for_build_editable as get_requires_for_build_editable
from setuptools.build_meta import get_requires_for_build_sdist as get_requires_for_build_sdist
from setuptools.build_meta import get_requires_for_build_wheel as get_requires_for_build_wheel
from setuptools.build_meta import (
    prepare_metadata_for_build_editable as prepare_metadata_for_build_editable,
)
from setuptools.build_meta import (
    prepare_metadata_for_build_wheel as prepare_metadata_for_build_wheel,
)


def build_wheel(wheel_directory: str, *arguments: Any, **named: Any) -> str:
    """Build the wheel; called in the folder of pyproject.toml, with what PEP 517 says."""
    shutil.rmtree("build", ignore_errors=True)
    return str(build_meta.build_wheel(wheel_directory, *arguments, **named))
