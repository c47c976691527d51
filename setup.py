"""Packaging: `export/` and `recipes/` at the top are installed as `kzoo.export` and `kzoo.recipes`."""

from setuptools import find_packages, setup

rooms = {"kzoo.export": "export", "kzoo.recipes": "recipes"}
packages = find_packages(include=["kzoo", "kzoo.*"]) + list(rooms)

setup(
    name="kzoo",
    version="0.1.0",
    description="The model zoo for sequence models on Keras 3: trained by one command, running as .tflite",
    python_requires=">=3.11",
    packages=packages,
    package_dir={"kzoo": "kzoo", **rooms},
    package_data={"kzoo.data": ["embedded/*"]},
    install_requires=[
        "keras>=3.15,<3.16",
        "tensorflow>=2.21,<2.22",
        "tensorflow-text>=2.21,<2.22",
        "keras-hub>=0.32,<0.33",
        "sentencepiece>=0.2,<0.3",
        "ai-edge-litert>=2.3,<2.4",
        "numpy>=2.0,<3",
        "regex",
        "tyro>=1.0,<2",
        "rich>=13",
    ],
    extras_require={
        "recipes": ["matplotlib>=3.9", "scikit-learn>=1.5"],
        "bench": ["matplotlib>=3.9", "scikit-learn>=1.5"],
        "test": ["pytest>=8", "ruff>=0.12", "build>=1.2", "jax>=0.10,<0.11"],
        "docs": [],
    },
    entry_points={"console_scripts": ["kzoo=kzoo.cli:main"]},
)
