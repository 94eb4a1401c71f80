# Which package manager the node lives by.
# A part of ../collector.sh, which has what is used here.
manager() {
    if command -v update_engine_client >/dev/null; then MANAGER=update-engine
    elif command -v transactional-update >/dev/null; then MANAGER=transactional-update
    elif [ -s /var/lib/dpkg/status ] && command -v apt-get >/dev/null; then MANAGER=apt
    elif command -v tdnf >/dev/null; then MANAGER=tdnf
    elif V=$(command -v dnf); then
        MANAGER=dnf
        case $(readlink -f "$V") in *dnf5*) MANAGER=dnf5 ;; esac
    elif command -v dnf5 >/dev/null; then MANAGER=dnf5
    elif command -v zypper >/dev/null; then MANAGER=zypper
    else MANAGER=
    fi
    if [ -n "$MANAGER" ]; then pair manager "$MANAGER"; else miss manager absent; fi
}
