#!/bin/sh
# A client in a language that is none: curl in a shell. It tries again after a 5XX and waits after a 429.
set -u

send() {
    pause=1
    for attempt in 1 2 3 4 5; do
        status=$(printf 'header = "Authorization: Bearer %s"\n' "$BRAZE_API_KEY" |
            curl -sS -K - -m 30 -o "$answer" -D "$head" -w '%{http_code}' -H 'Content-Type: application/json' \
                --data-binary "$1" "$BRAZE_REST_ENDPOINT/users/track/sync") || status=000
        case $status in
        201)
            grep -q '"message": *"success"' "$answer" && grep -q "$2" "$answer" && return 0
            echo "  not applied" >&2
            return 1
            ;;
        429)
            reset=$(tr -d '\r' <"$head" | awk 'tolower($1) == "x-ratelimit-reset:" { print $2 }')
            left=$((${reset:-0} - $(date +%s)))
            [ "$left" -gt 0 ] && sleep "$left" || sleep "$attempt"
            ;;
        5??)
            sleep "$pause"
            pause=$((pause * 2))
            ;;
        *)
            echo "  failed with $status" >&2
            return 1
            ;;
        esac
    done
    return 1
}

answer=$(mktemp) && head=$(mktemp) || exit 1
trap 'rm -f "$answer" "$head"' EXIT
send '{"attributes":[{"external_id":"user-1","colour":"red"}]}' '"colour": *"red"' &&
    send '{"events":[{"external_id":"user-1","name":"rated","time":"2026-01-01T12:00:00Z"}]}' '"name": *"rated"' &&
    echo passed
