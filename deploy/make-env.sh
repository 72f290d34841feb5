#!/bin/sh
# Writes .env beside this file from .env.example, with a new secret for each line that is empty there. An .env that exists is left alone.
# Another place for it, for tests: sh make-env.sh FILE
set -eu
cd "$(dirname "$0")"
target=${1:-.env}
if [ -e "$target" ]; then
  echo "$target exists already: its secrets are in use, delete it only together with the volumes" >&2
  exit 1
fi

# 64 hexadecimal digits
secret() { od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n'; }

umask 077
while IFS= read -r line; do
  case $line in
    TICKWHEEL_EXECUTOR_TOKEN=) echo "${line}twe_1_$(secret | cut -c1-43)" ;;
    TICKWHEEL_ADMIN_PASSWORD=) echo "${line}$(secret | cut -c1-20)" ;;
    [A-Z]*=) echo "$line$(secret)" ;;
    *) echo "$line" ;;
  esac
done <.env.example >"$target"
echo "$target is written. The password of admin is in it: TICKWHEEL_ADMIN_PASSWORD."
