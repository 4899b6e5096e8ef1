#!/bin/sh
# Exports a run for Transformers and compares logits, greedy text and token ids in version 4.53 and
# in 5.x: Scripts/roundtrip/check-hf.sh RUN [krait]
#
# Needs python3 with venv and pip; the environments (torch for the CPU) stay in .build/roundtrip.
set -eu
cd "$(dirname "$0")/../.."
run=${1:?usage: Scripts/roundtrip/check-hf.sh RUN [krait]}
krait=${2:-.build/release/krait}
work=${ROUNDTRIP_FOLDER:-.build/roundtrip}
mkdir -p "$work"

environment() { # name, requirements...
  python="$work/$1/bin/python"
  name=$1
  shift
  [ -f "$work/$name/ready" ] && return 0
  python3 -m venv "$work/$name"
  "$python" -m pip install --quiet "$@"
  touch "$work/$name/ready"
}

rm -rf "$work/hf"
mkdir -p "$work/hf"
"$krait" export "$run" --format hf "$work/hf/whole" >/dev/null
"$krait" export "$run" --format hf --shard-bytes 200000 "$work/hf/shards" >/dev/null
"$krait" export "$run" --format hf --type bf16 "$work/hf/bf16" >/dev/null

for version in 4.53.3 5.24.0; do
  environment "transformers-$version" "torch==2.13.0" "transformers==$version" "numpy<3"
  for folder in whole shards bf16; do
    "$python" Scripts/roundtrip/check-hf.py "$krait" "$work/hf/$folder"
  done
done
