# Reads what a plan is about to change, fresh, and changes nothing.
# shellcheck shell=sh disable=SC2154
# look NUMBER contents|stat PATH
look() {
    if ! sound "$3"; then
        KIND=unsound
        [ "$W" != no-folder ] || KIND=absent
        say file "$1" "$KIND" "$(text64 "$3")" "$W"
        return
    fi
    attributes "$R"
    if [ "$KIND" != regular ]; then
        say file "$1" "$KIND" "$(text64 "$R")" "$A"
        return
    fi
    if [ "$2" = stat ]; then
        say file "$1" "$KIND" "$(text64 "$R")" "$A"
    elif [ "$(stat -c %s "$R")" -gt 1048576 ]; then
        say file "$1" too-large "$(text64 "$R")" "$A"
    else
        say file "$1" "$KIND" "$(text64 "$R")" "$A $(sum "$R") $(contents "$R" | b64)" "$AS"
    fi
}
# look_own NUMBER PATH UID: a file that may lie in a user's own folders
look_own() {
    if sound "$2"; then
        # what a user's link leads to is not theirs
        if [ "$R" = "$2" ] || [ "$3" = 0 ]; then look "$1" contents "$2"; else say file "$1" unsound "$(text64 "$2")" link; fi
        return
    fi
    if [ "$W" = owner ] && own "$3" && sound "$2"; then
        attributes "$R"
        case $KIND:$A in
        absent:* | regular:*" ${AS%:*} ${AS#*:}") look "$1" contents "$2" ;;
        *) say file "$1" unsound "$(text64 "$2")" owner ;;
        esac
        AS=''
        return
    fi
    AS=''
    say file "$1" unsound "$(text64 "$2")" "$W"
}
# look_all NUMBER PATTERN: every file that a shell pattern names
look_all() {
    set +f
    for FOUND in $2; do
        set -f
        [ ! -f "$FOUND" ] || look "$1" contents "$FOUND"
    done
    set -f
    say listed "$1"
}
# tell NUMBER COMMAND-LINE: what a reading command says
tell() {
    OUT=$(within 20 sh -c "$2" 2>/dev/null </dev/null)
    say told "$1" "$?" "$(printf '%s' "$OUT" | head -c 65536 | b64)"
}
