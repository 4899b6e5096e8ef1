#!/bin/sh
# Training steps, krait beside PyTorch (eager and compiled), in turn, on two threads:
#   Benchmarks/peers/compare-step.sh [--width 768] [--layers 8] [--sequence 512] [--threads 2] …
# and on an NVIDIA GPU, at 124m, 1b and eight layers of 7b:
#   Benchmarks/peers/compare-step.sh --backend cuda [--shapes 124m,1b] [--kernels FOLDER] …
# PYTHON names an interpreter that has PyTorch, KRAIT another krait.
. "$(dirname "$0")/peers.sh"
script=compare_step.py
case " $* " in *" --backend cuda "*) script=compare_gpu.py ;; esac
exec "$PYTHON" "$script" --krait "$KRAIT" "$@"
