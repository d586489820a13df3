#!/bin/sh
# Runs real models through the engine, alone and at once: run.sh [pattern of names].
# Needs Python 3.11 or newer, and PyPI; REAL_MODELS_DIR: models that have been made before.
set -eu
if ! locale -a | grep -qi "en_US.utf-\?8"; then
  echo 'Text models of scikit-learn need a locale: apt-get install locales && localedef -i en_US -f UTF-8 en_US.UTF-8' >&2
  exit 1
fi
here=$(cd "$(dirname "$0")" && pwd)
cache=$here/../../.cache/real-models
if [ -z "${REAL_MODELS_DIR:-}" ]; then
  wanted=$(cat "$here/requirements.txt" "$here/make_models.py" | sha256sum)
  if [ "$(cat "$cache/.made" 2>/dev/null)" != "$wanted" ]; then
    python3 -m venv "$cache/venv"
    "$cache/venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    mkdir -p "$cache/models"
    "$cache/venv/bin/python" "$here/make_models.py" "$cache/models"
    echo "$wanted" > "$cache/.made"
  fi
fi
node "$here/run.ts" "${REAL_MODELS_DIR:-$cache/models}" "$@"
