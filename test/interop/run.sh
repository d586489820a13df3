#!/bin/sh
# Calls a running inferd with the clients that people have: run.sh [options of pytest].
# INFERD_MAIN: the program that is tested, when it is not src/main.ts.
set -u
here=$(cd "$(dirname "$0")" && pwd)
python=${INTEROP_PYTHON_DIR:-$here/../../.cache/interop/venv}/bin/python
"$here/install.sh" || exit 1

# tritonclient and KServe register different messages under the same names, so that a process can hold one of them only.
status=0
for suite in clients kserve_clients tokens; do
  "$python" -m pytest -c "$here/pytest.ini" "$here/$suite" "$@" || status=1
done
exit $status
