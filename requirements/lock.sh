#!/bin/sh
# Resolves every list again and locks it by hash, without writing any host into it.
set -eu
cd "$(dirname "$0")"
lock() {
  name=$1; shift
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
    "$@" "$name.in" -o "$name.txt"
}
lock build
lock runtime
lock test -c runtime.txt
lock browser -c test.txt
