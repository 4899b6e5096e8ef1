#!/bin/sh
# Installs NVIDIA's run-time compiler into .build/nvrtc, where pip may; otherwise says what happens without
# it. With --where: prints the folder of the libraries, nothing else.
set -u
cd "$(dirname "$0")/.."
version=13.0.88
found=$(ls -d .build/nvrtc/lib/python3*/site-packages/nvidia 2>/dev/null | head -n 1)
[ -n "$found" ] && found="$PWD/$found"
if [ "${1:-}" = "--where" ]; then
  echo "$found"
  exit 0
fi

if [ -n "$found" ] || [ -n "${KRAIT_CUDA_LIBRARIES:-}" ]; then exit 0; fi
if ldconfig -p 2>/dev/null | grep -q 'libnvrtc\.so'; then exit 0; fi
echo "Installing NVRTC $version into .build/nvrtc ..."
if python3 -m venv .build/nvrtc >/dev/null 2>&1 &&
  .build/nvrtc/bin/python -m pip install -q "nvidia-cuda-nvrtc==$version" >/dev/null 2>&1; then
  exit 0
fi
rm -rf .build/nvrtc
echo "NVRTC could not be installed (it needs python3 with venv and pip, and a package index);" \
  "the tests that compile GPU kernels are skipped."
