# The kernel's packet filters: text of iptables-save and JSON of nft, without the tables that only translate addresses.
# A part of ../collector.sh, which has what is used here.
FW_CAP=262144

# saved KEY COMMAND: what an iptables-save prints but the nat table, and its status as the last line
saved() {
    V=$({ within 5 "$2"; printf '# rc %s\n' $?; } | awk '/^\*/ { t = $0 } t != "*nat" || /^# /' | head -c $((FW_CAP + 1)))
    F=-
    if [ ${#V} -gt $FW_CAP ]; then F=c; V=$(printf '%s' "$V" | head -c $FW_CAP); fi
    flags_of 0 "${F#-}"
    say "$1" 0 "$F" "$V"
}
# builtin MODULE: whether the kernel has it, loaded or for good; where that cannot be told it is taken to have it
builtin() {
    [ -r /proc/modules ] || return 0
    case $NL$MODULES in *"$NL$1 "*) return 0 ;; esac
    V=/lib/modules/$KERNEL/modules.builtin
    [ ! -r "$V" ] || grep -q "/$1.ko" "$V"
}
firewall() {
    if [ "$UID_NOW" != 0 ]; then put firewall 0 f ''; return; fi
    MODULES=$(cat /proc/modules)
    # addresses other than the loopback's
    V=no
    while read -r f rest; do case $f in 00000000000000000000000000000001) ;; *) V=yes ;; esac; done </proc/net/if_inet6
    pair ipv6 $V
    # the older kernel interface: the tables of this network namespace, if it was ever used
    for f in ip ip6; do
        V=
        [ -r /proc/net/${f}_tables_names ] && read -r V </proc/net/${f}_tables_names
        [ "$f" = ip ] && c=iptables || c=ip6tables
        if [ -z "$V" ]; then pair legacy_$f absent
        elif command -v "$c-legacy-save" >/dev/null; then pair legacy_$f here; saved "fw.legacy.$f" "$c-legacy-save"
        elif command -v "$c" >/dev/null && case $(bound 5 "$c" -V) in *nf_tables*) false ;; *v1.*) true ;; *) false ;; esac; then pair legacy_$f here; saved "fw.legacy.$f" "$c-save"
        else pair legacy_$f unsupported
        fi
    done
    if ! builtin nf_tables; then pair nft absent; pairs firewall; return; fi
    OURS=' '
    for f in ip ip6; do
        [ "$f" = ip ] && c=iptables || c=ip6tables
        if command -v "$c-nft-save" >/dev/null; then c=$c-nft-save
        elif command -v "$c" >/dev/null && case $(bound 5 "$c" -V) in *nf_tables*) true ;; *) false ;; esac; then c=$c-save
        else continue
        fi
        saved "fw.nft.$f" "$c"
        for t in filter nat mangle raw security; do case $V in *"Table \`$t' is incompatible"*) ;; *) OURS="$OURS$f/$t " ;; esac; done
    done
    if ! command -v nft >/dev/null; then pair nft unsupported; pairs firewall; return; fi
    V=$(bound 5 nft list tables)
    RC=$?
    if [ $RC != 0 ]; then pair nft unsupported; pairs firewall; return; fi
    pair nft here
    n=0
    LIST=$V
    IFS=$NL
    for row in $LIST; do
        IFS=$WS
        # shellcheck disable=SC2086
        set -- $row
        IFS=$NL
        [ $# = 3 ] || continue
        case $2 in ip | ip6 | inet | netdev) ;; *) continue ;; esac
        case "$OURS" in *" $2/$3 "*) continue ;; esac
        case $2/$3 in ip/kube-proxy | ip6/kube-proxy) continue ;; esac
        if [ $n -ge 16 ]; then pair nft_more yes; break; fi
        IFS=$WS
        V=$(bound 5 nft -j list table "$2" "$3" | head -c $((FW_CAP + 1)))
        F=-
        [ ${#V} -le $FW_CAP ] || F=c V=
        flags_of 0 "${F#-}"
        say "fw.table.$n" 0 "$F" "$V"
        n=$((n + 1))
        IFS=$NL
    done
    IFS=$WS
    pair nft_tables $n
    pairs firewall
}
