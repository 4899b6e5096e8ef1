#!/bin/sh
# One feed-forward network, krait beside PyTorch, in turn, on two threads:
#   Benchmarks/peers/compare-ffn.sh [--tokens 4096] [--width 768] [--hidden 3072] …
# PYTHON names an interpreter that has PyTorch, KRAIT another krait.
. "$(dirname "$0")/peers.sh"
exec "$PYTHON" compare_ffn.py --krait "$KRAIT" "$@"
