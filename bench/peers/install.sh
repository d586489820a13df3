#!/bin/sh
# Installs the peers and the tool that makes the models, each into its own environment, because their pins conflict.
#
#   bench/peers/install.sh [FOLDER]     FOLDER defaults to bench/.cache/python, where `npm run bench` looks for it;
#                                       for another one, set BENCH_PYTHON_DIR to it.
#
# The load generator is Debian's: apt-get install wrk
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/../.cache/python}
mkdir -p "$folder"

install() {
  name=$1
  requirements=$2
  echo "installing $name"
  python3 -m venv "$folder/$name"
  "$folder/$name/bin/pip" install --quiet --disable-pip-version-check -r "$requirements" ||
    echo "$name could not be installed; the benchmark will leave it out" >&2
}

install models "$here/../models/requirements.txt"
for peer in fastapi bentoml mlserver litserve tritonclient; do
  install "$peer" "$here/requirements-$peer.txt"
done
