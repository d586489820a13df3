#!/bin/sh
# Sends the ONNX backend node tests through inferd: run.sh [pattern of names].
# INFERD_MAIN: the program that is tested, when it is not src/main.ts.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
interop=$here/../interop
python=${INTEROP_PYTHON_DIR:-$here/../../.cache/interop/venv}/bin/python
"$interop/install.sh"

cases=$(mktemp -d)
trap 'rm -rf "$cases"' EXIT
"$python" "$here/make_cases.py" "$cases"
node "$here/run.ts" "$cases" "$@"
