#!/usr/bin/env bash
# Installs geomatch into a virtual environment of its own, as the image does.
#
#   docker/install.sh [EXTRA…]        extras of pyproject.toml: libpostal review cluster s3 tableur dev
#
# GEOMATCH_VENV   where the environment is made   (default: /opt/geomatch)
# PYTHON          interpreter it is made with      (default: python3)
#
# Needs Python 3.11 or later. On Debian and Ubuntu, as root, it installs what is missing for
# that by package name; elsewhere it says what is missing and stops.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="${GEOMATCH_VENV:-/opt/geomatch}"
python="${PYTHON:-python3}"

say() { printf 'install.sh: %s\n' "$*" >&2; }

install_system_packages() {
  local missing=()
  command -v "$python" >/dev/null || missing+=(python3)
  "$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
  [ ${#missing[@]} -eq 0 ] && return
  if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
    say "missing: ${missing[*]}; install them and start again"
    exit 2
  fi
  say "installing ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
  rm -rf /var/lib/apt/lists/*
}

check_python() {
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    say "$("$python" --version) found, 3.11 or later needed; set PYTHON"
    exit 2
  }
}

install_package() {
  local extras
  extras="$(IFS=,; echo "$*")"
  "$python" -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --no-cache-dir --disable-pip-version-check \
    --constraint "$root/constraints.txt" "$root${extras:+[$extras]}"
}

# What is installed must run from anywhere, not from the checkout.
check_installation() {
  cd /
  "$venv/bin/python" -I -c 'import gazetteer, geomatch'
  "$venv/bin/geomatch" --version
}

install_system_packages
check_python
install_package "$@"
check_installation
