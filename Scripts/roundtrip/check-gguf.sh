#!/bin/sh
# Exports a run for llama.cpp and compares logits and greedy tokens:
# Scripts/roundtrip/check-gguf.sh RUN [krait]
#
# Needs python3 with venv and pip, a C++ compiler and cmake: pip builds llama.cpp, which takes a
# while. The environment stays in .build/roundtrip; ROUNDTRIP_PYTHON names one that exists already.
set -eu
cd "$(dirname "$0")/../.."
run=${1:?usage: Scripts/roundtrip/check-gguf.sh RUN [krait]}
krait=${2:-.build/release/krait}
work=${ROUNDTRIP_FOLDER:-.build/roundtrip}
mkdir -p "$work"

python=${ROUNDTRIP_PYTHON:-$work/llama.cpp/bin/python}
if [ -z "${ROUNDTRIP_PYTHON:-}" ] && [ ! -f "$work/llama.cpp/ready" ]; then
  python3 -m venv "$work/llama.cpp"
  "$python" -m pip install --quiet "llama-cpp-python==0.3.36" "gguf==0.19.0" "numpy<3"
  touch "$work/llama.cpp/ready"
fi

rm -rf "$work/gguf"
for type in f32 f16 bf16; do
  "$krait" export "$run" --format gguf --type "$type" "$work/gguf/$type.gguf" >/dev/null
  # The reference: the same numbers, rounded alike, in a folder that krait reads.
  "$krait" export "$run" --format hf --type "$type" "$work/gguf/$type" >/dev/null
  "$python" Scripts/roundtrip/check-gguf.py "$krait" "$work/gguf/$type" "$work/gguf/$type.gguf"
done
