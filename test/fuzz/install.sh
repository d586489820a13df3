#!/bin/sh
# Makes the Python environment of the documentation fuzzer, in the folder that is given, unless it is there already.
set -eu
folder=$1
wanted="$(dirname "$0")/requirements.txt"
cmp -s "$wanted" "$folder/requirements.txt" && exit 0
rm -rf "$folder"
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
cp "$wanted" "$folder/requirements.txt"
