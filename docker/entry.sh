#!/bin/sh
# Starts a command in the container: jupyter, dask, python or a path as they are, else geomatch.
#
# The image is read-only and any user may run it, but Numba only reads compiled code from a folder
# that it could write to: each container gets its copy in /tmp, a few megabytes of memory.
set -eu

compiled="${TMPDIR:-/tmp}/geomatch-compiled-$(id -u)"
if [ ! -d "$compiled" ]; then
  draft="$(mktemp -d)"
  cp -R /opt/geomatch/compiled/. "$draft"
  mv "$draft" "$compiled" 2>/dev/null || rm -rf "$draft"
fi
export NUMBA_CACHE_DIR="$compiled"

# A user whom the image does not know has no home.
if [ ! -w "${HOME:-/}" ]; then
  export HOME="${TMPDIR:-/tmp}"
fi
umask 077

case "${1:-}" in
  jupyter | dask | python | python3 | sh | bash | /*) exec "$@" ;;
  *) exec geomatch "$@" ;;
esac
