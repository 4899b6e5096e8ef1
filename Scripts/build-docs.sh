#!/bin/sh
# Builds the DocC documentation of every library module into .build/docs.
set -eu
cd "$(dirname "$0")/.."
mkdir -p .build/docs
for module in Compute FeedForward Transformer Corpus Interchange Training; do
  swift package --allow-writing-to-directory ".build/docs/$module" generate-documentation \
    --target "$module" --output-path ".build/docs/$module" --warnings-as-errors
done
echo "documentation: .build/docs/<module>; serve one with 'swift package --disable-sandbox preview-documentation --target Training'"
