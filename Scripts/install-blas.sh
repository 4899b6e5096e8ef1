#!/bin/sh
# Installs OpenBLAS where Debian's apt is there and may; otherwise says what happens without it.
set -u

if ldconfig -p 2>/dev/null | grep -q 'libopenblas\.so\.0'; then exit 0; fi
if [ -n "${KRAIT_BLAS:-}" ]; then exit 0; fi
if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" -ne 0 ]; then
  echo "OpenBLAS is not installed; Krait uses its own matrix kernels." \
    "(Debian and Ubuntu: sudo apt-get install libopenblas0)"
  exit 0
fi
echo "Installing libopenblas0 ..."
if apt-get install -y -qq libopenblas0 >/dev/null 2>&1 ||
  { apt-get update -qq >/dev/null 2>&1 && apt-get install -y -qq libopenblas0 >/dev/null 2>&1; }; then
  exit 0
fi
echo "OpenBLAS could not be installed; Krait uses its own matrix kernels."
