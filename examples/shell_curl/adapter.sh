#!/usr/bin/env bash
# A client made of curl and jq, with its adapter: the protocol asks for nothing but lines.
#
#     tracksync gate --driver -- examples/shell_curl/adapter.sh
set -u

attempts_allowed=3 # and half a second before the second: to start curl and jq takes time, too
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
not_before=0 # the reset time of the last 429

# Makes the body of a request, and a filter for the response's first user: the values where it shows the update, else null.
prepare() {
    body=$(jq -c '
        (if has("update_existing_only") then {_update_existing_only: .update_existing_only} else {} end) as $only
        | def some(names): with_entries(select(.key as $key | names | index($key)));
        if .operation == "set" then {attributes: [.user + .attributes + $only]}
        elif .operation == "increment" then {attributes: [.user + {(.name): {inc: .by}} + $only]}
        elif .operation == "event" then {events: [.user + some(["name", "time", "properties"]) + $only]}
        else {purchases: [.user + some(["product_id", "currency", "price", "quantity", "time", "properties"]) + $only]}
        end' <<<"$1")
    values='
        (.users // [] | first) as $user
        | if $user == null then null
        elif $asked.operation == "set" then
            ($user.custom_attributes // {}) as $shown
            | if all($asked.attributes | to_entries[]; $shown[.key] == .value) # what was removed is null or left out
              then $shown else null end
        elif $asked.operation == "increment" then
            ($user.custom_attributes // {}) | if has($asked.name) then . else null end
        elif $asked.operation == "event" then
            [$user.custom_events // [] | .[] | select(.name == $asked.name)] | first | if . then {count} else null end
        else
            [$user.purchase_events // [] | .[] | select(.product_id == $asked.product_id)] | first
            | if . then {count} else null end
        end'
}

# One request. Leaves `status` (000 where there was no response), and the response in two files.
post() {
    : >"$folder/body"
    : >"$folder/head"
    # The key goes in by standard input: the command line could be read by others.
    status=$(printf 'header = "Authorization: Bearer %s"\n' "$BRAZE_API_KEY" |
        curl -sS -K - -m 30 -o "$folder/body" -D "$folder/head" -w '%{http_code}' -H 'Content-Type: application/json' \
            --compressed --data-binary "$body" "$BRAZE_REST_ENDPOINT/users/track/sync" 2>/dev/null) || status=000
}

# Waits `$1` seconds, unless that would end after the deadline.
wait_for() {
    [ "$(jq -n --argjson left "$((until - $(date +%s)))" --argjson wait "$1" '$wait <= $left')" = true ] || return 1
    sleep "$1"
}

# Does what a line asks for. Leaves `outcome`, `shown` and `attempts`.
perform() {
    prepare "$1"
    local repeatable pause=0.5 again reset left
    repeatable=$(jq -r '.operation == "set"' <<<"$1")
    until=$(($(date +%s) + $(jq '.deadline | floor' <<<"$1")))
    attempts=0
    shown=null
    outcome=failed
    while :; do
        left=$((not_before - $(date +%s)))
        if [ "$left" -gt 0 ] && ! wait_for "$left"; then
            outcome=rate_limited
            return
        fi
        post
        attempts=$((attempts + 1))
        again=$repeatable
        case $status in
        2??)
            if shown=$(jq -c --argjson asked "$1" "if .message == \"success\" then ($values) else error end" \
                "$folder/body" 2>/dev/null) && [ -n "$shown" ]; then
                [ "$shown" = null ] && outcome=not_applied || outcome=applied
                return
            fi
            shown=null
            ;;
        429)
            outcome=rate_limited
            reset=$(tr -d '\r' <"$folder/head" | awk 'tolower($1) == "x-ratelimit-reset:" { print $2 }')
            not_before=$((${reset:-0} + 0))
            # Where the clocks differ the reset time may seem past.
            [ "$not_before" -gt "$(date +%s)" ] || not_before=$(($(date +%s) + attempts))
            [ "$attempts" -lt "$attempts_allowed" ] || return
            continue
            ;;
        401 | 403)
            outcome=unauthorised
            return
            ;;
        4??)
            outcome=rejected
            return
            ;;
        502 | 503) again=true ;;
        esac
        outcome=failed
        [ "$again" = true ] && [ "$attempts" -lt "$attempts_allowed" ] && wait_for "$pause" || return
        pause=$(jq -n "$pause * 2")
    done
}

while IFS= read -r line; do
    case $(jq -r .type <<<"$line") in
    hello)
        echo '{"type":"hello","protocol":1,"client":"curl","operations":["set","event","purchase","increment"]}'
        ;;
    operation)
        perform "$line"
        jq -c --arg outcome "$outcome" --argjson values "$shown" --argjson attempts "$attempts" \
            '{type: "outcome", id, outcome: $outcome, attempts: $attempts}
             + (if $values then {values: $values} else {} end)' <<<"$line"
        ;;
    esac
done
