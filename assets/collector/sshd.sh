# sshd: its daemons, what they read and what `sshd -T` says for every connection that differs.
# A part of ../collector.sh, which has what is used here.
users() {
    PASSWD=$(bound 5 getent passwd)
    RC=$?
    [ -n "$PASSWD" ] || { PASSWD=$(head -n 5001 /etc/passwd) RC=0; }
    USERS=$(printf '%s\n' "$PASSWD" | awk -F: '
        NR > 5000 { print "C"; exit }
        NF == 7 && $1 ~ /^[!-~]+$/ && $3 ~ /^[0-9]+$/ && $7 !~ /(^|\/)(nologin|false|sync|halt|shutdown|git-shell)$/ {
            if (++n > 500) { print "C"; exit }
            print $1 ":" $3 ":" $4 ":" $6 ":" ($7 == "" ? "/bin/sh" : $7)
        }')
    flags_of $RC
    case $USERS in *"${NL}C") F=c USERS=${USERS%"${NL}C"} ;; esac
    say users 0 "$F" "$USERS"
}

# --- sshd -------------------------------------------------------------------------------------------------------
# complaint TEXT: S is a word for what sshd complains about; its text goes nowhere
complaint() {
    case $1 in
    *'no hostkeys available'*) S=nohostkeys ;;
    *'not in connection test specification'*) S=connection ;;
    *'ermission denied'*) S=forbidden ;;
    *'ad configuration option'* | *'terminating,'* | *'unsupported option'* | *' line '* | *'issing argument'*) S=badconfig ;;
    *) S=other ;;
    esac
}
# sshd_run ARGS...: runs the daemon's executable with its own options; OUT, RC; S where RC is not 0
sshd_run() {
    IFS=$NL
    # shellcheck disable=SC2086
    OUT=$(bound 5 "$DEXE" $DOPTS "$@")
    RC=$? S=ok
    if [ $RC != 0 ]; then
        # shellcheck disable=SC2086
        complaint "$(bound 5 "$DEXE" $DOPTS "$@" 2>&1 >/dev/null)"
    fi
    IFS=$WS
}
# dump KIND CONNECTION CRITERION: one more `sshd -T`; a connection that no Match can tell apart is the global answer again
dump() {
    WANTED=$((WANTED + 1))
    [ $SENT -lt 32 ] || return
    k=sshd.$DN.dump.$SENT h="$1$TAB$2$TAB$3"
    SENT=$((SENT + 1))
    if [ "$1" = global ]; then
        if [ "$UID_NOW" = 0 ]; then sshd_run -T; else sshd_run -G; fi
        # for `Match LocalPort` OpenSSH 9.2 wants to be told a port; this one none of them names
        case $RC-$UID_NOW:$MATCHES in 255-0:?*) sshd_run -T -C lport=1 ;; esac
        GOUT=$OUT GRC=$RC GS=$S
        if [ "$UID_NOW" != 0 ] && [ $RC != 0 ]; then GS=forbidden; fi
    elif [ "$UID_NOW" != 0 ]; then put "$k" 0 f "$(printf '%s\n' "$h" | enc)"; return
    elif [ "$2" = - ]; then put "$k" 0 n "$(printf '%s\n' "$h" | enc)"; return
    elif [ "$TRC" != 0 ] || { [ -z "$MATCHES" ] && [ -z "$MORE" ]; }; then OUT=$GOUT RC=$GRC S=$GS
    else sshd_run -T -C "$2"
    fi
    flags_of $RC
    if [ $RC = 0 ]; then
        DUMPS="$DUMPS$OUT$NL"
        [ -n "$ANYOUT" ] || ANYOUT=$OUT
    else
        OUT=$S
        [ "$1" = global ] && OUT=$GS
        # some versions say nothing at all before they know the connection, where a Match asks for its port
        [ "$S" != connection ] || F=${F#-}n
    fi
    say "$k" $RC "$F" "$h$NL$OUT"
}
# config_files: the configuration file and what it includes, in the order in which sshd reads them
config_files() {
    I=0 LISTED= MATCHES= MORE= TODO=$DCONF SEEN=$NL
    while [ -n "$TODO" ]; do
        f=${TODO%%"$NL"*}
        case $TODO in *"$NL"*) TODO=${TODO#*"$NL"} ;; *) TODO= ;; esac
        case $f$SEEN in '' | "$NL"*) continue ;; esac
        case $SEEN in *"$NL$f$NL"*) continue ;; esac
        SEEN=$SEEN$f$NL
        if [ $I -ge 64 ]; then MORE=yes; break; fi
        # of the first it was just asked
        if [ $I = 0 ]; then S=$CSTATE; else trust "$f"; fi
        LISTED="$LISTED$I$TAB$S$TAB$M$TAB$O$TAB$A$TAB$f$NL"
        if [ "$S" = here ]; then
            text "sshd.$DN.file.$I" "$f"
            [ "$F" = c ] && MORE=yes
            INC=$(bound 5 awk '{
                sub(/^[ \t]+/, ""); gsub(/[\r\t]/, " ")
                if ($0 ~ /^#/ || $0 == "") next
                k = $0; sub(/[ =].*/, "", k); r = substr($0, length(k) + 1); sub(/^ *=? */, "", r); k = tolower(k); gsub(/"/, "", k)
                if (k == "include") { gsub(/"/, "", r); n = split(r, p, / +/); for (i = 1; i <= n; i++) if (p[i] != "") print "I " p[i] }
                if (k == "match") print "M " r
            }' "$f")
            ADD=
            IFS=$NL
            for l in $INC; do
                case $l in
                'M '*) case $NL$MATCHES in *"$NL${l#M }$NL"*) ;; *) MATCHES="$MATCHES${l#M }$NL" ;; esac ;;
                'I '*)
                    l=${l#I }
                    case $l in /*) ;; *) l=/etc/ssh/$l ;; esac
                    set +f
                    for g in $l; do [ -e "$g" ] || [ -L "$g" ] && ADD=$ADD$g$NL; done
                    set -f
                    state "${l%/*}/."
                    [ "$S" = forbidden ] || { [ -d "${l%/*}" ] && [ ! -r "${l%/*}" ]; } && MORE=yes
                    ;;
                esac
            done
            IFS=$WS
            TODO=$ADD$TODO
        elif [ "$S" != absent ]; then MORE=yes
        fi
        I=$((I + 1))
    done
    say "sshd.$DN.files" 0 - "${LISTED%"$NL"}"
}
# matches: for each Match a connection that it fits: `CONNECTION TAB CRITERION`
matches() {
    printf '%s\n%s\n' "$PASSWD" "=$NL$MATCHES" | awk -v user="$SOMEUSER" -v addr="$SEAT" -v laddr="$HERE" -v lport="$LPORT" '
    function glob(s) { gsub(/[.+^$(){}|\\\[\]]/, "\\\\&", s); gsub(/\*/, ".*", s); gsub(/\?/, ".", s); return "^" s "$" }
    function number(ip,    o) { if (split(ip, o, ".") != 4) return -1; return ((o[1] * 256 + o[2]) * 256 + o[3]) * 256 + o[4] }
    # no ^ for powers: busybox may be built without it
    function fits(s, p,    c, w) {
        if (p ~ /\//) {
            split(p, c, "/"); if (number(s) < 0 || number(c[1]) < 0) return s == c[1]
            if (c[2] !~ /^[0-9]+$/) return 0
            for (w = 1; c[2] < 32; c[2]++) w *= 2; return int(number(s) / w) == int(number(c[1]) / w)
        }
        return s ~ glob(p)
    }
    # 1: on the list; the first negated pattern that fits decides
    function listed(s, list,    p, n, i, ok) {
        n = split(list, p, ",")
        for (i = 1; i <= n; i++)
            if (p[i] ~ /^!/) { if (fits(s, substr(p[i], 2))) return 0 } else if (fits(s, p[i])) ok = 1
        return ok
    }
    function pick(list, any, wild,    p, n, i, s) {
        n = split(list, p, ",")
        for (i = 1; i <= n; i++) {
            if (p[i] ~ /^!/) continue
            s = p[i]
            if (s == "*") s = any; else { sub(/\/.*/, "", s); gsub(/[*?]/, wild, s) }
            if (listed(s, list)) return s
        }
        return ""
    }
    function group_of(u, list,    g) {
        for (g in gid) if (listed(g, list) && (gid[g] == primary[u] || index("," member[g] ",", "," u ","))) return 1
        return 0
    }
    function someone(users, groups,    i) {
        for (i = 1; i <= nu; i++) if ((users == "" || listed(name[i], users)) && (groups == "" || group_of(name[i], groups))) return name[i]
        return (groups == "") ? pick(users, "x", "x") : ""
    }
    $0 == "=" && !body { body = 1; while ((getline l < "/etc/group") > 0) { split(l, g, ":"); gid[g[1]] = g[3]; member[g[1]] = g[4] }; next }
    !body { split($0, f, ":"); if (f[1] != "") { name[++nu] = f[1]; primary[f[1]] = f[4] }; next }
    $0 == "" { next }
    {
        line = $0; rest = $0; gsub(/"/, "", rest); gsub(/ *= */, " ", rest); n = split(rest, w, / +/)
        u = "root"; a = addr; h = ""; la = laddr; lp = lport; rd = ""; users = ""; groups = ""; bad = 0; at = 0; all = 0
        for (i = 1; i <= n && w[i] != ""; i += 2) {
            k = tolower(w[i]); v = w[i + 1]
            if (k ~ /^#/) break
            if (k == "all") { all = 1; i-- }
            else if (v == "") bad = 1
            else if (k == "user") users = v
            else if (k == "group") groups = v
            else if (k == "address") { a = pick(v, "203.0.113.77", "1"); at = 1 }
            else if (k == "host") h = pick(v, "x.example", "x")
            else if (k == "localaddress") la = pick(v, laddr, "1")
            else if (k == "localport") lp = pick(v, lport, "1")
            else if (k == "rdomain") rd = pick(v, "x", "x")
            else bad = 1
        }
        who = users != "" || groups != ""
        if (who) { anyone = 1; u = someone(users, groups) }
        if (u == "" || a == "" || la == "" || lp == "") bad = 1
        m++
        crit[m] = line; own[m] = who || bad
        tail[m] = ",host=" (h == "" ? a : h) ",addr=" a ",laddr=" la ",lport=" lp (rd == "" ? "" : ",rdomain=" rd)
        conn[m] = bad ? "-" : "user=" u tail[m]
    }
    END {
        for (i = 1; i <= m; i++) {
            print conn[i] "\t" crit[i]
            if (!own[i] && anyone && user != "") print "user=" user tail[i] "\t" crit[i]
        }
    }'
}
# daemon VIA PID EXE SERVES: one daemon that counts, with all that belongs to it
daemon() {
    DPID=$2 DEXE=${3% (deleted)} DOPTS= DCONF= NAMED=no ODD=
    pair via "$1"
    if [ -n "$DPID" ]; then pair pid "$DPID"; else miss pid absent; fi
    # a reload keeps the process and its start; systemd notes it as a change of the unit's state
    U=
    [ -z "$DPID" ] || [ "$SYSTEMD" = no ] || U=$(printf '%s' "$TABLE" | awk -F'\t' -v p="$DPID" '
        $1 == p { if (match($12, /[^\/]+\.service/)) print substr($12, RSTART, RLENGTH); exit }')
    if [ -n "$U" ]; then
        V=$(TZ=UTC; export TZ; bound 5 systemctl show --no-pager -p StateChangeTimestamp -- "$U")
        case $V in
        *' '*' '*' UTC') V=${V% UTC} V=${V#* } ;;
        *) V= ;;
        esac
        [ -z "$V" ] || V=$(date -u -d "$V" +%s)
        [ -z "$V" ] || pair loaded "$V"
    fi
    if [ "$DEXE" = '?' ]; then
        miss exe forbidden
        DEXE=${SSHD:-/usr/sbin/sshd}
    else pair exe "$DEXE"
    fi
    WORDS=$5
    if [ -n "$DPID" ]; then
        WORDS=$(tr '\n\0' '\001\n' <"/proc/$DPID/cmdline")
    fi
    IFS=$NL
    # a title, with blanks between its words
    case $DPID:$WORDS in ?*:sshd:*) WORDS=${WORDS#sshd: } WORDS=${WORDS%% \[listener\]*} IFS=" $NL" ;; esac
    # shellcheck disable=SC2086
    set -- "$4" $WORDS
    IFS=$WS
    SERVES=$1
    shift
    [ $# = 0 ] || shift
    while [ $# -gt 0 ]; do
        case $1 in
        -f) DCONF=$2 NAMED=yes; [ $# -lt 2 ] || shift ;;
        -f?*) DCONF=${1#-f} NAMED=yes ;;
        -[opg]) DOPTS="$DOPTS$1$NL$2$NL"; pair option "${1#-} $2"; [ $# -lt 2 ] || shift ;;
        -[opg]?*) DOPTS="$DOPTS$1$NL"; pair option "$1" ;;
        -[DdeiqrR46] | -De | -eD | -Dd | -Di) ;;
        '$'*) ;;
        *) ODD=yes ;;
        esac
        shift
    done
    if [ $NAMED = no ]; then
        DCONF=/etc/ssh/sshd_config
        [ -e $DCONF ] || [ ! -e /usr/etc/ssh/sshd_config ] || DCONF=/usr/etc/ssh/sshd_config
    fi
    case $DCONF in /*) ;; *) ODD=yes ;; esac
    pair config "$DCONF"
    pair named $NAMED
    trust "$DCONF"
    pair config_state "$S"
    CSTATE=$S
    pair serves_login "$SERVES"
    [ -z "$ODD" ] || pair unparsed yes
    [ $NAMED = no ] || DOPTS="$DOPTS-f$NL$DCONF$NL"
    case $CSTATE in
    here | forbidden)
        config_files
        [ -z "$MORE" ] || pair incomplete_files yes
        ;;
    esac
    pairs "sshd.$DN"
    case $CSTATE in refused | absent) return ;; esac
    TRC=1 ANYOUT=
    if [ "$UID_NOW" != 0 ]; then say "sshd.$DN.test" 0 f forbidden
    else
        sshd_run -t
        TRC=$RC
        flags_of $RC
        say "sshd.$DN.test" $RC "$F" "$S"
    fi
    WANTED=0 SENT=0
    T="host=$SEAT,addr=$SEAT,laddr=$HERE,lport=$LPORT"
    dump global - -
    dump root "user=root,$T" -
    [ -z "$SOMEUSER" ] || dump user "user=$SOMEUSER,$T" -
    if [ -n "$MATCHES" ]; then
        LIST=$(matches)
        IFS=$NL
        for row in $LIST; do
            IFS=$WS
            dump match "${row%%"$TAB"*}" "${row#*"$TAB"}"
        done
        IFS=$WS
    fi
    pair wanted $WANTED
    pair sent $SENT
    pairs "sshd.$DN.dumps"
    OUT= F=-
    # no Match can change which host keys there are, so any connection tells them
    LIST=$(printf '%s\n' "$ANYOUT" | awk 'tolower($1) == "hostkey" { print $2 }')
    [ -n "$ANYOUT" ] || F=n
    IFS=$NL
    for f in $LIST; do
        state "$f.pub"
        V=
        if [ "$S" = here ]; then
            if [ $KEYGEN = no ]; then S=unsupported
            elif [ ! -r "$f.pub" ]; then S=forbidden
            else
                # BITS HASH COMMENT (KIND)
                V=$(bound 5 ssh-keygen -lf "$f.pub")
                case $V in
                '') ;;
                *"$NL"* | *"$TAB"* | *'  '* | *' ' | ' '*) V=$(printf '%s\n' "$V" | awk '{ print $1 "\t" $2 "\t" substr($NF, 2, length($NF) - 2) }') ;;
                *) k=${V##* } k=${k#?} c=${V#* } V=${V%% *}$TAB${c%% *}$TAB${k%?} ;;
                esac
            fi
        fi
        OUT="$OUT$S$TAB${V:-?$TAB?$TAB?}$TAB$f$NL"
    done
    IFS=$WS
    say "sshd.$DN.hostkeys" 0 $F "${OUT%"$NL"}"
    ALLDUMPS=$ALLDUMPS$DUMPS
    DUMPS=
}
ssh_service() {
    SSHD=$(command -v sshd) KEYGEN=no DN=0 DUMPS= ALLDUMPS= GOUT= GRC=1
    command -v ssh-keygen >/dev/null && KEYGEN=yes
    SEAT=127.0.0.1 HERE=127.0.0.1 LPORT=22
    if [ -n "$CONN" ]; then
        # shellcheck disable=SC2086
        set -- $CONN
        SEAT=$1 HERE=$3 LPORT=$4
    fi
    case $SEAT$HERE$LPORT in *[!0-9a-zA-Z.:%]*) SEAT=127.0.0.1 HERE=127.0.0.1 LPORT=22 ;; esac
    SOMEUSER=$LOGIN
    [ "$LOGIN" != root ] || {
        SOMEUSER= IFS=$NL
        for p in $USERS; do
            V=${p#*:} V=${V%%:*}
            if [ "$V" -ge 1000 ] && [ "$V" -lt 60000 ]; then SOMEUSER=${p%%:*}; break; fi
        done
        IFS=$WS
    }
    # the sshd that serves this login: the topmost of our ancestors
    TOP=
    [ -z "$CONN" ] || for p in $CHAINPIDS; do
        case $TABLE in "$p$TAB"*"${TAB}sshd$TAB"* | *"$NL$p$TAB"*) TOP=$p ;; esac
    done
    EXTRA=
    IFS=$NL
    for row in $HOSTS; do
        IFS=$TAB
        # shellcheck disable=SC2086
        set -- $row
        IFS=$WS
        verdict=$1 pid=$2 name=$3 exe=$4
        [ "$name" = sshd ] || continue
        [ "$verdict" != container ] || continue
        if [ $DN -ge 8 ]; then EXTRA=too-large; break; fi
        V=no
        [ "$pid" = "$TOP" ] && { V=yes; TOP=; }
        daemon process "$pid" "$exe" $V
        DN=$((DN + 1))
    done
    IFS=$WS
    # a daemon that a socket unit starts at need
    if [ "$SYSTEMD" = yes ] && [ -n "$SSHD" ]; then
        if LIST=$(bound 5 systemctl show --no-pager -p Id -p ActiveState -p Accept -p Triggers '*.socket'); then :; else EXTRA=not-visible; fi
        LIST=$(printf '%s\n' "$LIST" | awk '
            function out() {
                if (acc == "yes") sub(/\.socket$/, "@sitewarden.service", id); else id = t
                if (act == "active" && id ~ /^[^-]/) print id
                id = act = acc = t = ""
            }
            { v = substr($0, index($0, "=") + 1) }
            /^Id=/ { id = v } /^ActiveState=/ { act = v } /^Accept=/ { acc = v } /^Triggers=/ { t = v } /^$/ { out() }
            END { out() }')
        # shellcheck disable=SC2086
        [ -z "$LIST" ] || LIST=$(bound 5 systemctl show --no-pager -p Id -p ActiveState -p ExecStart -- $LIST | awk '
            function out() { if (act != "active" && run ~ /sshd/ && !(run in seen)) { seen[run]; print run }; act = run = "" }
            /^ActiveState=/ { act = substr($0, 13) }
            /^ExecStart=/ && run == "" { run = $0; if (!sub(/.*argv\[\]=/, "", run)) run = ""; sub(/ ;.*/, "", run) }
            /^$/ { out() } END { out() }')
        IFS=$NL
        for V in $LIST; do
            IFS=$WS
            e=${V%% *}
            e=${e#-}
            # what another program starts cannot be asked
            case $e in /*/sshd) ;; *) EXTRA=not-visible; continue ;; esac
            if [ $DN -ge 8 ]; then EXTRA=too-large; break; fi
            if [ -n "$TOP" ]; then f=yes; else f=no; fi
            TOP=
            daemon socket '' "$e" $f "$(printf '%s\n' "$V" | tr ' ' '\n')"
            DN=$((DN + 1))
        done
        IFS=$WS
    fi
    if [ -n "$SSHD" ]; then
        pair binary "$SSHD"
        # `sshd -V` leaves out the patch level where it knows the option at all
        V=$(command -v ssh) || V=$SSHD
        V=$(bound 5 "$V" -V 2>&1)
        case $V in
        *OpenSSH_*) V=OpenSSH_${V#*OpenSSH_} V=${V%%"$NL"*} V=${V%%,*} ;;
        *) V= ;;
        esac
        if [ -n "$V" ]; then pair version "$V"; else miss version unsupported; fi
    else miss binary absent; miss version absent
    fi
    pair keygen $KEYGEN
    pair daemons $DN
    [ -z "$TOP" ] || EXTRA=${EXTRA:-not-visible}
    [ $HIDEPID = no ] || EXTRA=${EXTRA:-forbidden}
    [ -z "$EXTRA" ] || pair incomplete "$EXTRA"
    pairs sshd
}
