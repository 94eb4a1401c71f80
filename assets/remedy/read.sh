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
        say file "$1" "$KIND" "$(text64 "$R")" "$A $(sum "$R") $(b64 <"$R")"
    fi
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
