#!/bin/sh
# check-functions-host.sh HOST APP: whether the Functions host of a base image can start the published app. The app's
# host extension brings no Microsoft.Extensions of its own; a host with an older one refuses it (AZFD0005).
set -eu
host="$1/Microsoft.Azure.WebJobs.Script.WebHost"
app="$2/.azurefunctions/function.deps.json"
fail() { printf 'check-functions-host: %s\n' "$*" >&2; exit 1; }

[ -x "$host" ] || fail "$host is not there or cannot be run; the image's CMD names it. Take another tag of the base image."
[ -r "$host.deps.json" ] && [ -r "$app" ] || fail "$host.deps.json or $app cannot be read."
has=$(sed -n '/Microsoft\.Extensions\.Configuration\.Abstractions\.dll"/,/}/s/.*"assemblyVersion": *"\([0-9]*\)\..*/\1/p' "$host.deps.json" | sort -n | tail -n 1)
needs=$(sed -n 's/.*"Microsoft\.Extensions\.Configuration\.Abstractions": *"\([0-9]*\)\..*/\1/p' "$app" | sort -n | tail -n 1)
[ "${has:-0}" -ge "${needs:-0}" ] ||
  fail "the host has Microsoft.Extensions ${has:-none}, and the app's extensions need $needs. Take a newer base image: eng/pin-base-images.sh renews it."
printf 'Functions host: Microsoft.Extensions %s, and %s is needed\n' "$has" "${needs:-none}"
