# Trying a configuration of sshd that is not in its place yet: a copy of every file that sshd reads, as they are now, with
# what was staged in place of what lies there, and every Include turned to the copies.
# shellcheck shell=sh disable=SC2034,SC2154
# copied FROM TO: one file with its Includes turned to $TREE; fails on an Include that is not plainly understood
copied() {
    mkdir -p "${2%/*}" || return 1
    awk -v tree="$TREE" '
        BEGIN { bad = 0 }
        {
            line = $0; sub(/\r$/, "", line)
            word = line; sub(/^[ \t]+/, "", word)
            if (tolower(word) !~ /^include[ \t=]/) { print $0; next }
            if (word ~ /["\\#]/) { bad = 1; exit }
            sub(/^[A-Za-z]+[ \t]*=?[ \t]*/, "", word)
            n = split(word, part, /[ \t]+/); out = ""
            for (i = 1; i <= n; i++) {
                if (part[i] == "") continue
                if (part[i] !~ /^[\/~]/) part[i] = "/etc/ssh/" part[i]
                if (part[i] ~ /^~/) { bad = 1; exit }
                out = out " " tree part[i]
            }
            print "Include" out
        }
        END { exit bad }' "$1" >"$2"
}
# included FILE: PATTERNS of its Include lines, as they stand in a copy, without $TREE
included() {
    awk -v tree="$TREE" 'tolower($1) == "include" { for (i = 2; i <= NF; i++) print substr($i, length(tree) + 1) }' "$1"
}
# sshd_tree MAIN: TREE$MAIN is the copy; staged files are those of STAGED (lines: the path of the staged file, its place)
sshd_tree() {
    TREE=$(mktemp -d "${DIR:-/nowhere}/sshd.XXXXXX" 2>/dev/null || mktemp -d /run/sitewarden.XXXXXX) || return 1
    WAITING=$1 DEPTH=0
    while [ -n "$WAITING" ] && [ "$DEPTH" -lt 9 ]; do
        NEXT='' DEPTH=$((DEPTH + 1))
        for ONE in $WAITING; do
            [ ! -e "$TREE$ONE" ] || continue
            FROM=$(staged_for "$ONE")
            # what is changed is changed where a link leads to
            [ -n "$FROM" ] || FROM=$(staged_for "$(readlink -f "$ONE")")
            case $FROM in '') FROM=$ONE ;; gone) continue ;; esac
            copied "$FROM" "$TREE$ONE" || return 1
            for PATTERN in $(included "$TREE$ONE"); do
                # what is there, and what will be there
                set +f
                for FOUND in $PATTERN; do set -f; [ ! -f "$FOUND" ] || NEXT="$NEXT $FOUND"; done
                set -f
                for FOUND in $(staged_places); do
                    # shellcheck disable=SC2254
                    case $FOUND in $PATTERN) [ "${FOUND%/*}" != "${PATTERN%/*}" ] || NEXT="$NEXT $FOUND" ;; esac
                done
            done
        done
        WAITING=$NEXT
    done
}
# staged_for PLACE: the staged file for it; `gone` where it will be removed
staged_for() { printf '%s\n' "$STAGED" | while read -r A B; do [ "$B" != "$1" ] || { printf %s "$A"; break; }; done; }
staged_places() { printf '%s\n' "$STAGED" | while read -r A B; do [ "$A" = gone ] || printf '%s\n' "$B"; done; }
# sshd_dump SSHD MAIN CONNECTION: what sshd -T says of the copy
# PermitRootLogin has one value of two names, of which sshd may print the old one.
sshd_dump() {
    within 20 "$1" -T -f "$TREE$2" ${3:+-C "$3"} 2>/dev/null |
        sed 's/^permitrootlogin without-password$/permitrootlogin prohibit-password/'
}
# sshd_valid SSHD MAIN: whether sshd takes the copy; OUT is what it says
sshd_valid() {
    (umask 022 && mkdir -p /run/sshd)
    OUT=$(within 20 "$1" -t -f "$TREE$2" 2>&1 </dev/null)
}
sshd_tree_away() { case ${TREE:-} in */sshd.?????? | /run/sitewarden.??????) rm -rf "$TREE" ;; esac; }
