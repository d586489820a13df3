#!/bin/sh
# Makes the Python environment of the interoperability tests and of the ONNX node tests: install.sh [folder].
# Its default is $INTEROP_PYTHON_DIR, else .cache/interop/venv in the checkout. Needs Python 3.11 or newer, and PyPI.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-${INTEROP_PYTHON_DIR:-$here/../../.cache/interop/venv}}
wanted=$(cat "$here/requirements.txt" "$here/constraints.txt" | sha256sum)

if [ "$(cat "$folder/.installed" 2>/dev/null)" = "$wanted" ]; then exit 0; fi
python3 -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check \
  -r "$here/requirements.txt" -c "$here/constraints.txt"
echo "$wanted" > "$folder/.installed"
