#!/bin/bash
# An executor in bash, curl and python3 (for JSON and to listen): it runs shell tasks.
#
#   EXECUTOR_TOKEN=twe_... examples/http-shell/executor.sh
#
# TICKWHEEL_SERVER, EXECUTOR_APP, EXECUTOR_NAME, EXECUTOR_HOST (where the server reaches this machine), EXECUTOR_PORT, EXECUTOR_CAPACITY.
set -u
here=$(dirname "$0")
server=${TICKWHEEL_SERVER:-http://localhost:8080}
host=${EXECUTOR_HOST:-127.0.0.1}
capacity=${EXECUTOR_CAPACITY:-2}
folder=$(mktemp -d)
mkdir "$folder"/{orders,running,seen,cancels,groups}

# field FILE a.b: one value of a JSON file
field() { python3 -c 'import functools, json, sys; print(functools.reduce(lambda at, key: at[key], sys.argv[2].split("."), json.load(open(sys.argv[1]))))' "$1" "$2"; }
# call PATH TOKEN < body: the answer; fails unless it is 2xx
call() { curl -sS --fail --max-time 10 -X POST "$server/api/v1$1" -H "Authorization: Bearer $2" -H 'Content-Type: application/json' --data-binary @-; }

report() { # report NAME FIELDS: until the server has acknowledged it
  local run="\"instanceId\":${1%-*},\"attempt\":${1#*-}"
  until ! kill -0 $$ 2>/dev/null || call /executor/report "$token" <<<"{\"executorId\":$executor,\"bootId\":$boot,\"reports\":[{$run,$2}]}" >/dev/null; do sleep 1; done
}

quote() { # quote TEXT: as JSON; control characters but the tab are dropped
  local text=${1//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//$'\t'/\\t}
  printf '"%s"' "${text//[[:cntrl:]]/}"
}

run() { # run NAME: one order, from its start to its acknowledged end
  local name=$1 status=0 seq=0 count=0 told_at=$SECONDS line rest='' quoted='' code told='"outcome":"succeeded","result":{"exit":0}'
  report "$name" '"kind":"started"'
  field "$folder/orders/$name" handler.script >"$folder/$name.sh"
  mkfifo "$folder/$name.out"
  TICKWHEEL_PARAMS=$(field "$folder/orders/$name" params) setsid bash "$folder/$name.sh" >"$folder/$name.out" 2>&1 &
  echo $! >"$folder/groups/$name"
  while [ "$status" -eq 0 ] || [ "$status" -gt 128 ]; do # 0: a line; above 128: a while without one; else: the end
    IFS= read -r -t 0.3 line
    status=$?
    if [ "$status" -gt 128 ]; then rest+=$line; else line=$rest$line rest=''; fi
    if [ "$status" -eq 0 ] || { [ "$status" -le 128 ] && [ -n "$line" ]; }; then
      quoted+=",$(quote "$line")"
      count=$((count + 1))
    fi
    if [ "$count" -gt 0 ] && { [ "$count" -ge 100 ] || [ "$status" -ne 0 ] || [ $SECONDS -gt "$told_at" ]; }; then
      report "$name" "\"kind\":\"log\",\"firstSeq\":$((seq + 1)),\"lines\":[${quoted#,}]"
      seq=$((seq + count)) count=0 quoted='' told_at=$SECONDS
    fi
  done <"$folder/$name.out"
  wait "$(cat "$folder/groups/$name")"
  code=$?
  [ $code -ne 0 ] && told="\"outcome\":\"failed\",\"error\":{\"code\":\"EXIT_CODE\",\"message\":\"it ended with exit code $code\"}"
  [ -e "$folder/cancels/$name" ] && told='"outcome":"canceled"'
  report "$name" "\"kind\":\"finished\",\"lines\":$seq,$told"
  rm -f "$folder/running/$name" "$folder/groups/$name" "$folder/$name".{sh,out}
}

beat() {
  local running='' name
  for name in $(ls "$folder/running"); do running+=",{\"instanceId\":${name%-*},\"attempt\":${name#*-}}"; done
  local load="{\"cpu\":0,\"memory\":0,\"running\":$(ls "$folder/running" | wc -l),\"queued\":0}"
  call /executor/heartbeat "$token" <<<"{\"executorId\":$executor,\"running\":[${running#,}],\"load\":$load}" >"$folder/beat.json" || return
  # what is to be canceled, and what the server has moved on without
  for name in $(python3 -c 'import json, sys; a = json.load(open(sys.argv[1])); print(*("%s-%s" % (o["instanceId"], o["attempt"]) for o in a["cancel"] + a["unknown"]))' "$folder/beat.json"); do
    touch "$folder/cancels/$name"
  done
}

leave() { kill "$listener" 2>/dev/null; for name in "$folder"/groups/*; do [ -e "$name" ] && kill -KILL -- "-$(cat "$name")" 2>/dev/null; done; rm -rf "$folder"; exit 0; }
trap leave INT TERM

python3 "$here/listener.py" "$folder" "$host" "${EXECUTOR_PORT:-0}" "$capacity" &
listener=$!
until [ -e "$folder/port" ]; do sleep 0.1; done
address="http://$host:$(cat "$folder/port")"
call /executor/register "${EXECUTOR_TOKEN:-}" >"$folder/session.json" <<JSON || leave
{ "appName": "${EXECUTOR_APP:-default}", "name": "${EXECUTOR_NAME:-shell}", "protocol": { "min": 1, "max": 1 }, "version": "1.0", "capacity": $capacity,
  "handlers": [{ "name": "shell", "kind": "builtIn" }], "host": "$host", "pid": $$, "address": "$address" }
JSON
token=$(field "$folder/session.json" sessionToken)
executor=$(field "$folder/session.json" executorId)
boot=$(field "$folder/session.json" bootId)
heartbeat=$(($(field "$folder/session.json" heartbeatMs) / 1000))
echo "$boot" >"$folder/boot"
echo "$token" >"$folder/token"
echo "${EXECUTOR_NAME:-shell} has joined at $address; stop it with Ctrl-C"

beaten=$SECONDS
while kill -0 "$listener" 2>/dev/null; do
  for order in "$folder"/orders/*; do
    name=$(basename "$order")
    if [ -e "$order" ] && [ ! -e "$folder/seen/$name.begun" ]; then
      touch "$folder/seen/$name.begun"
      run "$name" &
    fi
  done
  for name in $(ls "$folder/cancels"); do [ -e "$folder/groups/$name" ] && kill -TERM -- "-$(cat "$folder/groups/$name")" 2>/dev/null; done
  if [ $((SECONDS - beaten)) -ge "$heartbeat" ]; then beaten=$SECONDS; beat; fi
  sleep 0.2
done
