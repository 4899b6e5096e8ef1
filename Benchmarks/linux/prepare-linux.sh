#!/bin/sh
# Fetches the source of Debian's kernel and prepares it as token shards: real text for experiments.
#
#   Benchmarks/linux/prepare-linux.sh OUTPUT [krait prepare's options]
#
# Examples:
#   Benchmarks/linux/prepare-linux.sh shards                               bytes
#   MEGABYTES=60 Benchmarks/linux/prepare-linux.sh shards --tokenizer tokenizer.json
# Benchmarks/linux/train_tokenizer.py trains such a tokenizer on the selected files.
#
# Environment:
#   MEGABYTES   text to select, 100 unless given; 0 for all, about 660
#   SOURCES     folder for what is fetched (140 MB) and unpacked (1.3 GB); it can be used again
#   PACKAGE     linux-source-6.1 unless given
#   KRAIT       the command, .build/release/krait unless given
#
# Selected are *.c and *.h files of at most 128 kB, without the register tables of graphics cards
# (asic_reg), evenly spaced over the sorted list of all. Needs apt-get (no root), dpkg, tar, xz.
set -eu

if [ $# -lt 1 ]; then
  sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//'
  exit 64
fi
output=$1
shift
here=$(cd "$(dirname "$0")/../.." && pwd)
krait=${KRAIT:-$here/.build/release/krait}
sources=${SOURCES:-$here/.build/linux-source}
package=${PACKAGE:-linux-source-6.1}
megabytes=${MEGABYTES:-100}
[ -x "$krait" ] || { echo "there is no '$krait'; run 'make build' first, or set KRAIT" >&2; exit 1; }

mkdir -p "$sources"
tree=$sources/$package
if [ ! -d "$tree" ]; then
  (
    cd "$sources"
    if ! ls "$package"_*.deb >/dev/null 2>&1; then
      echo "fetching $package ..."
      apt-get download "$package" || {
        echo "cannot fetch $package; 'apt-get update' may help, or set PACKAGE to one of:" >&2
        apt-cache search --names-only '^linux-source-' >&2
        exit 1
      }
    fi
    echo "unpacking ..."
    rm -rf deb partial
    dpkg -x "$package"_*.deb deb
    mkdir partial
    tar -xf "deb/usr/src/$package.tar.xz" -C partial --wildcards '*.c' '*.h'
    mv "partial/$package" "$package"
    rm -rf deb partial
  )
fi

# A file is taken when what was taken so far is no more than its share of what came before.
list=$sources/files.txt
(cd "$tree" && find . -type f -name '*.[ch]' -size -129k -size +0 ! -path '*/asic_reg/*' -printf '%P\t%s\n') |
  LC_ALL=C sort >"$list.all"
awk -F '\t' -v limit="$megabytes" -v root="$tree" '
  NR == FNR { total += $2; next }
  limit == 0 || taken <= seen * (limit * 1e6 / total) { taken += $2; print root "/" $1 }
  { seen += $2 }
' "$list.all" "$list.all" >"$list"
echo "$(wc -l <"$list") of $(wc -l <"$list.all") files"

"$krait" prepare --files-from "$list" --output "$output" --name linux "$@"
