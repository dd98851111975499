#!/bin/sh
# Resolves every list again and locks it by hash, without writing any host into it.
set -eu
cd "$(dirname "$0")"
# lock LIST FROM [OPTIONS OF UV]
lock() {
  list=$1; shift
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
    "$@" -o "$list.txt"
}
lock build build.in
lock runtime ../pyproject.toml --all-extras
lock test test.in -c runtime.txt
lock browser browser.in -c test.txt
