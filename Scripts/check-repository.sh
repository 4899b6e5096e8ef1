#!/bin/sh
# Fails when the repository holds what it must not: large or binary files, unfinished words,
# resolved packages, build folders.
set -u
cd "$(dirname "$0")/.."
status=0

fail() {
  echo "$1"
  echo "$2" | sed 's/^/  /'
  status=1
}

large=$(git ls-files | while read -r file; do
  [ -f "$file" ] && [ "$(wc -c <"$file")" -gt 1000000 ] && echo "$file"
done)
[ -n "$large" ] && fail "Files over 1 MB:" "$large"

# A fixture is text, or lies in a folder named Fixtures; a picture belongs to a document.
binary=$(git ls-files | grep -vE '\.(png|svg)$|/Fixtures/' | while read -r file; do
  [ -s "$file" ] && ! grep -qI . "$file" && echo "$file"
done)
[ -n "$binary" ] && fail "Binary files outside of Fixtures:" "$binary"

built=$(git ls-files | grep -E '^\.build|Package\.resolved|\.safetensors$|\.gguf$')
[ -n "$built" ] && fail "Built or downloaded files:" "$built"

words='TO''DO|FIX''ME|XX''X'
unfinished=$(git grep -nE "\b($words)\b" -- '*.swift' '*.c' '*.h' '*.inc' '*.cu' '*.cuh' '*.py' '*.sh' 2>/dev/null)
[ -n "$unfinished" ] && fail "Unfinished:" "$unfinished"

[ "$status" -eq 0 ] && echo "repository: clean"
exit "$status"
