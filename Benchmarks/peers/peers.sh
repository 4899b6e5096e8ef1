# Sourced by the compare scripts: goes to this folder, makes the environment, finds krait.
set -eu
cd "$(dirname "$0")"
if [ -z "${PYTHON:-}" ]; then
  PYTHON=.venv/bin/python
  if [ ! -x "$PYTHON" ] || ! cmp -s requirements.txt .venv/requirements.txt; then
    echo "making Benchmarks/peers/.venv with PyTorch (once)" >&2
    rm -rf .venv
    python3 -m venv .venv
    .venv/bin/pip install --quiet -r requirements.txt
    cp requirements.txt .venv/requirements.txt
  fi
fi
KRAIT=${KRAIT:-$(cd ../.. && pwd)/.build/release/krait}
if [ ! -x "$KRAIT" ]; then
  echo "no $KRAIT: run 'make build' first, or set KRAIT to the command" >&2
  exit 1
fi
