# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by `start` and `tests/run`: what a machine needs to build sitewarden. Set `said_by` first.

build_packages=(build-essential make perl pkgconf) # OpenSSL is built from its source

say() { echo "$said_by: $*" >&2; }

not_installed() { # PACKAGE...: those that are missing
  local package
  for package; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

install_packages() { # PACKAGE...: touches nothing, and asks no server, when all are there
  local missing
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "this is no Debian; it needs what these packages hold: $*"
    return 0
  fi
  mapfile -t missing < <(not_installed "$@")
  [ "${#missing[@]}" -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ]; then
    say "not installed, and installing needs root: apt-get install ${missing[*]}"
    exit 1
  fi
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q || say "apt-get update had errors; going on with what it has"
  apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 "${missing[@]}"
}

check_cargo() { # COMPONENT...: beyond cargo itself
  local component
  export RUSTUP_AUTO_INSTALL=0 # a toolchain is the user's to choose and to download
  command -v cargo >/dev/null || { say "cargo is not installed: install rustup (https://rustup.rs) and run this again"; exit 1; }
  for component; do
    cargo "${component/rustfmt/fmt}" --version >/dev/null || { say "$component is not installed: rustup component add $component"; exit 1; }
  done
}
