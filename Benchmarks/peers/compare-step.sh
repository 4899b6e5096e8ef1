#!/bin/sh
# Training steps, krait beside PyTorch (eager and compiled), in turn, on two threads:
#   Benchmarks/peers/compare-step.sh [--width 768] [--layers 8] [--sequence 512] [--threads 2] …
# PYTHON names an interpreter that has PyTorch, KRAIT another krait.
. "$(dirname "$0")/peers.sh"
exec "$PYTHON" compare_step.py --krait "$KRAIT" "$@"
