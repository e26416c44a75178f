#!/usr/bin/env bash
# Makes the passwords of the compose file once; those that are there stay.
set -euo pipefail
umask 077
folder="${1:-$(dirname "$0")/secrets}"
mkdir -p "$folder"
for name in postgres-password tidelock-password grafana-password; do
  [ -s "$folder/$name" ] || head -c 24 /dev/urandom | base64 | tr -d '+/=\n' > "$folder/$name"
  # Compose hands secrets over as they are: the container's users have other numbers than this one.
  chmod 644 "$folder/$name"
done
chmod 700 "$folder"
