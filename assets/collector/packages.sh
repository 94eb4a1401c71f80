# The second script: what takes seconds. Pending updates as far as the node knows without asking anybody, and the health
# of Microsoft Defender for Endpoint. No package manager is run that takes a lock or goes to the network, and none as root.
# A part of ../collector.sh, which has what is used here.
#@ manager

# lowly COMMAND...: runs it without rights, bounded; 125 where there is no way to
lowly() {
    if [ "$UID_NOW" != 0 ]; then within 20 "$@"; return; fi
    # busybox has a setpriv too, which cannot do this
    for w in setpriv /usr/bin/setpriv /bin/setpriv; do
        if within 5 "$w" --reuid=65534 --regid=65534 --clear-groups true; then
            within 20 "$w" --reuid=65534 --regid=65534 --clear-groups "$@"
            return
        fi
    done
    return 125
}
# newest PATH...: V is the latest time of change of those that exist
newest() { V=$(stat -c %Y "$@" | sort -n | tail -n 1); }
apt_updates() {
    set +f; set -- /var/lib/apt/lists/*_Packages*; set -f
    n=0 closed=0 security=no
    for f in "$@"; do
        [ -e "$f" ] || continue
        n=$((n + 1))
        # those who look have no rights: what they cannot read is missing for them without a word
        case $(stat -L -c %a "$f") in *[4567]) ;; *) closed=$((closed + 1)) ;; esac
        case $f in *ecurity*) security=yes ;; esac
    done
    pair lists $n
    pair lists_closed $closed
    pair lists_security $security
    # the folders' own times change when a fetch fails too; a signed list bears the archive's time or that of its coming
    set +f; newest /var/lib/apt/lists/*Release /var/lib/apt/periodic/update-success-stamp; set -f
    if [ $n -gt 0 ] && [ -n "$V" ]; then pair refreshed "$V"; else miss refreshed absent; fi
    OUT=$(lowly apt-get -s -q --ignore-hold -o Debug::NoLocking=1 -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= dist-upgrade)
    RC=$?
    OUT=$(printf '%s\n' "$OUT" | awk '/^Inst / { print } END { print "# end" }' | head -c $((CAP * 4 + 1)))
}
# dnf_asks ARGUMENT...: dnf without rights. What it leaves of whoever runs it, a folder in /var/tmp and logs, goes again
dnf_asks() {
    set +f; k=" $(echo /var/tmp/dnf-*) "; set -f
    d=$(lowly mktemp -d /tmp/sitewarden.XXXXXX)
    # as somebody without rights its lock is its own, its cache the system's
    lowly dnf -C -q --setopt=cachedir=/var/cache/dnf --setopt=logdir="${d:-/tmp}" --setopt=debuglevel=0 "$@"
    r=$?
    set +f
    for f in "$d" /var/tmp/dnf-*; do
        case $k in *" $f "*) continue ;; esac
        [ -z "$f" ] || [ -L "$f" ] || [ ! -d "$f" ] || lowly rm -rf "$f"
    done
    set -f
    return $r
}
dnf_updates() {
    set +f; set -- /var/cache/dnf/*/repodata/repomd.xml; set -f
    n=0
    for f in "$@"; do [ -e "$f" ] && n=$((n + 1)); done
    pair lists $n
    # where nothing new was there to fetch, dnf notes that it has looked in the time of the list of packages alone
    set +f; newest /var/cache/dnf/*/repodata/repomd.xml /var/cache/dnf/*/repodata/*primary.xml*; set -f
    m=$V
    # sources without advisories answer as if there were nothing to mend
    set +f; set -- /var/cache/dnf/*/repodata/*updateinfo*; set -f
    if [ -e "$1" ]; then s=yes; else s=no; fi
    # those of an extra source do not speak for the system's own
    set +f; set -- /var/cache/dnf/*[Bb]ase[Oo][Ss]*/repodata/repomd.xml /var/cache/dnf/*[Aa]pp[Ss]tream*/repodata/repomd.xml; set -f
    for f in "$@"; do
        case $f in *source* | *debug*) continue ;; esac
        [ -e "$f" ] || continue
        set +f; set -- "${f%/*}"/*updateinfo*; set -f
        [ -e "$1" ] || s=no
    done
    pair lists_security $s
    if [ $n -gt 0 ] && [ -n "$m" ]; then pair refreshed "$m"; else miss refreshed absent; fi
    RC=1 OUT=
    [ $n -gt 0 ] || return
    OUT=$(dnf_asks updateinfo list --security)
    RC=$?
    if V=$(dnf_asks list --upgrades); then pair pending "$(printf '%s\n' "$V" | awk 'NF == 3 && $1 ~ /\./ { n++ } END { print n + 0 }')"; else miss pending unsupported; fi
    OUT=$(printf '%s\n# end' "$OUT" | head -c $((CAP * 4 + 1)))
}
# zypper without rights takes no lock, and reads what `zypper refresh` left; where a list of a source that is on is not
# there, it says so with its exit status
zypper_asks() { lowly zypper -x -q --non-interactive --no-refresh "$@"; }
zypper_updates() {
    set +f; set -- /var/cache/zypp/raw/*/repodata/repomd.xml; set -f
    n=0
    for f in "$@"; do [ -e "$f" ] && n=$((n + 1)); done
    pair lists $n
    # zypper touches this file when there is nothing new to fetch, too
    newest "$@"
    if [ $n -gt 0 ] && [ -n "$V" ]; then pair refreshed "$V"; else miss refreshed absent; fi
    # sources without advisories answer as if there were nothing to mend
    set +f; set -- /var/cache/zypp/raw/*/repodata/*updateinfo*; set -f
    if [ -e "$1" ]; then pair lists_security yes; else pair lists_security no; fi
    RC=1 OUT=
    [ $n -gt 0 ] || return
    if V=$(zypper_asks list-updates); then pair pending "$(printf '%s\n' "$V" | grep -c '<update kind="package"')"; else miss pending unsupported; fi
    OUT=$(zypper_asks list-patches --category security)
    RC=$?
    OUT=$(printf '%s\n' "$OUT" | grep -o '<update kind="patch"[^>]*>\|</update-status>' | head -c $((CAP * 4 + 1)))
    OUT="$OUT$NL# end"
}
flatcar_updates() {
    OUT=$(within 10 update_engine_client -status)
    RC=$?
    OUT="$(printf '%s\n' "$OUT" | awk '/^(CURRENT_OP|LAST_CHECKED_TIME|NEW_VERSION)=/')$NL# end"
}
updates() {
    pair time "$(date +%s)"
    manager
    OUT= RC=0
    case $MANAGER in
    apt) apt_updates ;;
    dnf) dnf_updates ;;
    zypper) zypper_updates ;;
    update-engine) flatcar_updates ;;
    esac
    pairs updates
    case $MANAGER in
    apt | dnf | zypper | update-engine)
        flags_of $RC
        case $RC in 125 | 126 | 127) F=${F#-}u ;; esac
        [ ${#OUT} -le $((CAP * 4)) ] || F=${F#-}c
        say updates.list $RC "$F" "$OUT"
        ;;
    *) put updates.list 0 u '' ;;
    esac
}
defender() {
    V=$(command -v mdatp)
    if [ -z "$V" ]; then put mdatp 0 a ''; return; fi
    trust "$V"
    case $S in
    here)
        OUT=$(within 20 "$V" health --output json | head -c $CAP)
        say mdatp 0 - "$OUT"
        ;;
    absent) put mdatp 0 a '' ;;
    forbidden) put mdatp 0 f '' ;;
    *) put mdatp 0 r '' ;;
    esac
}
updates
defender
