"""Builds the compiled operator where there is a C++ compiler, and leaves it out where there is none.

All else is in setup.cfg.
"""

from __future__ import annotations

import platform
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

SOURCE = Path("root_gnn", "kernels", "source")
LIBRARY = "root_gnn.kernels.libroot_gnn"
COMMON = ["-std=c++17", "-O3", "-g0", "-fvisibility=hidden", "-pthread", "-Wno-psabi"]
FLAGS = {  # of the files with such an ending, which are compiled for newer processors than the others
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx512f", "-mavx512dq", "-mfma", "-mprefer-vector-width=512"],
}


def flags(source: str) -> list[str]:
    """What the file is compiled with beside `COMMON`, by the instruction set at the end of its name."""
    return FLAGS.get(Path(source).stem.rpartition("_")[2], [])


def sources() -> list[str]:
    """What is compiled on this kind of processor."""
    x86 = platform.machine().lower() in ("x86_64", "amd64")
    return sorted(str(file) for file in SOURCE.glob("*.cpp") if x86 or not flags(str(file)))


class BuildLibrary(build_ext):
    """A shared library without Python in it: flags differ by file, and its name names no Python version."""

    def build_extension(self, ext: Extension) -> None:
        """Compiles each source with the flags of its instruction set and links them."""
        objects = []
        for source in ext.sources:
            settings = [*COMMON, *flags(source)]
            objects += self.compiler.compile(
                [source], output_dir=self.build_temp, extra_postargs=settings, depends=ext.depends
            )
        self.compiler.link_shared_object(
            objects, self.get_ext_fullpath(ext.name), extra_postargs=["-pthread"], target_lang="c++"
        )

    def get_ext_filename(self, fullname: str) -> str:
        """The path of the library, without the tag of a Python version."""
        return str(Path(*fullname.split("."))) + ".so"


class WheelOfAnyPython(bdist_wheel):
    """`py3-none-<platform>` with the library inside, `py3-none-any` without."""

    def get_tag(self) -> tuple[str, str, str]:
        """The tags of Python, its binary interface and the platform."""
        built = any(Path(file).is_file() for file in self.get_finalized_command("build_ext").get_outputs())
        return ("py3", "none", super().get_tag()[2] if built else "any")


setup(
    ext_modules=[
        Extension(LIBRARY, sources(), depends=[str(file) for file in sorted(SOURCE.glob("*.h"))], optional=True)
    ],
    cmdclass={"build_ext": BuildLibrary, "bdist_wheel": WheelOfAnyPython},
)
