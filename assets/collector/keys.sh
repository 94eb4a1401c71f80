# Authorized keys and listening sockets.
# A part of ../collector.sh, which has what is used here.
authorized() {
    # the patterns, and last whether keys may come from elsewhere
    PATTERNS=$(printf '%s\n' "$ALLDUMPS" | awk '{ k = tolower($1) }
        k == "authorizedkeysfile" { for (i = 2; i <= NF; i++) if (!($i in s)) { s[$i]; print $i } }
        (k == "authorizedkeyscommand" || k == "trustedusercakeys") && $2 != "none" { y = 1 }
        END { print y ? "yes" : "no" }')
    ELSEWHERE=${PATTERNS##*"$NL"}
    case $PATTERNS in *"$NL"*) PATTERNS=${PATTERNS%"$NL"*} ;; *) PATTERNS= ;; esac
    V=default
    if [ -n "$PATTERNS" ]; then V='sshd -T'; else PATTERNS=".ssh/authorized_keys$NL.ssh/authorized_keys2"; fi
    OUT= FILES= KEYFILES= n=0 F=-
    IFS=$NL
    for f in $PATTERNS; do pair pattern "$f"; done
    pair from "$V"
    case $ALLDUMPS in
    '') pair command '?' ;;
    *) pair command "$ELSEWHERE" ;;
    esac
    pairs keys.source
    for l in $USERS; do
        u=${l%%:*} h=${l#*:} i=${h%%:*} h=${h#*:} h=${h#*:} h=${h%%:*}
        for f in $PATTERNS; do
            [ "$f" != none ] || continue
            case $f in *%*) f=$(printf '%s\n%s\n%s\n' "$f" "$u" "$h" | awk -v uid="$i" '{ l[NR] = $0 } END {
                s = l[1]; gsub(/&/, "\\\\&", l[2]); gsub(/&/, "\\\\&", l[3])
                gsub(/%%/, "\001", s); gsub(/%u/, l[2], s); gsub(/%U/, uid, s); gsub(/%h/, l[3], s); gsub("\001", "%", s); print s }') ;; esac
            case $f in /*) ;; *) f=${h%/}/$f ;; esac
            state "$f"
            [ "$S" = here ] && [ ! -f "$f" ] && S=refused
            [ "$S" = here ] && [ ! -r "$f" ] && S=forbidden
            [ "$S" != absent ] || continue
            n=$((n + 1))
            if [ $n -gt 64 ]; then F=c; break 2; fi
            case $S in
            here) FILES="$FILES$u$TAB$f$NL" KEYFILES="$KEYFILES$f$NL" ;;
            *) OUT="${OUT}file$TAB$S$TAB$u$TAB?$TAB$f$NL" ;;
            esac
        done
    done
    # shellcheck disable=SC2086
    TIMES=$(bound 5 stat -L -c '%Y %s %n' $KEYFILES)$NL
    for row in $FILES; do
        f=${row#*"$TAB"} M='?'
        case $NL$TIMES in *" $f$NL"*)
            M=${TIMES%%" $f$NL"*}
            M=${M##*"$NL"}
            # of a longer one only its beginning is looked at
            [ "${M#* }" -le 262144 ] || F=c
            M=${M%% *}
            ;;
        # a byte more than is looked at tells that there is more
        *) [ "$(bound 5 head -c 262145 "$f" | wc -c)" -le 262144 ] || F=c ;;
        esac
        OUT="${OUT}file${TAB}here$TAB${row%%"$TAB"*}$TAB$M$TAB$f$NL"
    done
    IFS=$WS
    # stage 1: `F<n>L<line> KIND BODY` goes to ssh-keygen alone; what is sent is made from its answer
    KEYS= n=0
    IFS=$NL
    for row in $FILES; do
        IFS=$TAB
        # shellcheck disable=SC2086
        set -- $row
        IFS=$WS
        u=$1 f=$2
        [ -n "$f" ] || continue
        n=$((n + 1))
        K=$(bound 5 head -c 262144 "$f" | awk -v at="$n" -v u="$u" -v f="$f" '
        { sub(/\r$/, ""); sub(/^[ \t]+/, "") }
        /^#/ || $0 == "" { next }
        {
            if (++k > 200) { print "C"; exit }
            s = $0; opts = ""
            if (s !~ /^(ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-zA-Z0-9@.-]+[ \t]/) {
                quoted = 0
                for (i = 1; i <= length(s); i++) {
                    c = substr(s, i, 1)
                    if (c == "\\" && substr(s, i + 1, 1) == "\"") { i++; continue }
                    if (c == "\"") quoted = !quoted
                    if (!quoted && (c == " " || c == "\t")) break
                }
                o = substr(s, 1, i - 1); s = substr(s, i); sub(/^[ \t]+/, "", s)
                opts = ""; name = ""; val = ""; quoted = 0; inval = 0
                for (i = 1; i <= length(o) + 1; i++) {
                    c = (i > length(o)) ? "," : substr(o, i, 1)
                    if (c == "\\" && substr(o, i + 1, 1) == "\"") { i++; val = val "?"; continue }
                    if (c == "\"") { quoted = !quoted; continue }
                    if (c == "," && (!quoted || i > length(o))) {
                        l = tolower(name); gsub(/[^a-z0-9-]/, "?", l); gsub(/[^!-~]|"/, "?", val)
                        if (l != "") opts = opts (opts == "" ? "" : ",") ((l == "from" || l == "expiry-time") ? l "=\"" val "\"" : l)
                        name = ""; val = ""; inval = 0; continue
                    }
                    if (c == "=" && !quoted && !inval) { inval = 1; continue }
                    if (inval) val = val c; else name = name c
                }
            }
            n = split(s, w, /[ \t]+/)
            kind = w[1]; body = w[2]
            good = kind ~ /^(ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-zA-Z0-9@.-]+$/ && body ~ /^[A-Za-z0-9+\/=]+$/
            if (good) print "K\t" kind "\t" body "\tF" at "L" NR
            print "O\tF" at "L" NR "\t" NR "\t" (good ? kind : "?") "\t" (good && opts != "" ? opts : "-") "\t" u "\t" f
        }')
        case $K in *"${NL}C") F=c ;; esac
        KEYS=$KEYS$K$NL
    done
    IFS=$WS
    PRINTS=
    if [ $KEYGEN = yes ]; then
        PRINTS=$(printf '%s' "$KEYS" | awk -F'\t' '$1 == "K" { print $2 " " $3 " " $4 }' | if [ "$BOUND" = timeout ]; then timeout 10 ssh-keygen -lf -; else ssh-keygen -lf -; fi)
    else F=${F#-}u
    fi
    V=$(printf '%s\n=\n%s' "$PRINTS" "$KEYS" | awk -F'\t' '
        !body { if ($0 == "=") { body = 1; next } split($0, w, " "); if (w[2] ~ /^[A-Z0-9]+:/) { bits[w[3]] = w[1]; print_[w[3]] = w[2] }; next }
        $1 == "O" { print "key\t" $6 "\t" $3 "\t" $4 "\t" ($2 in bits ? bits[$2] : "?") "\t" ($2 in print_ ? print_[$2] : "?") "\t" $5 "\t" $7 }')
    KEYS=
    say keys 0 "$F" "$OUT$V"
}

# --- listeners --------------------------------------------------------------------------------------------------
listeners() {
    if [ ! -r /proc/net/tcp ]; then put listen 0 a ''; return; fi
    V=/proc/net/tcp
    [ -r /proc/net/tcp6 ] && V="$V /proc/net/tcp6"
    if ls -lq / >/dev/null; then L=-lq; else L=-l; fi
    LISTEN=$(
        # shellcheck disable=SC2086
        awk '$4 == "0A" { split($2, a, ":"); print "T\t" (length(a[1]) > 8 ? "tcp6" : "tcp") "\t" a[1] "\t" a[2] "\t" $10 }' $V
        if [ "$UID_NOW" = 0 ]; then
            set +f
            within 10 ls $L /proc/[0-9]*/fd | awk '
                /^\/proc\/[0-9]+\/fd:$/ { split($0, p, "/"); pid = p[3]; next }
                match($0, /-> socket:\[[0-9]+\]$/) { print "S\t" substr($0, RSTART + 11, RLENGTH - 12) "\t" pid }'
            set -f
        fi
    )
    say listen 0 - "$(printf '%s\n' "$LISTEN" | awk -F'\t' -v all="$UID_NOW" '
        function hex(s,    i, v) { s = tolower(s); v = 0; for (i = 1; i <= length(s); i++) v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1; return v }
        $1 == "T" { line[++n] = $2 "\t" $3 "\t" hex($4) "\t" $5; inode[n] = $5; want[$5] }
        $1 == "S" && $2 in want { if (!($2 in pid) || $3 + 0 < pid[$2] + 0) pid[$2] = $3 }
        END {
            for (i = 1; i <= n; i++) {
                p = all == 0 ? "-" : "?"; c = p
                if (inode[i] in pid) {
                    p = pid[inode[i]]; c = "?"; f = "/proc/" p "/comm"
                    if ((getline c < f) <= 0) c = "?"
                    close(f); gsub(/[^ -~]/, "?", c)
                }
                print line[i] "\t" p "\t" c
            }
        }')"
}
