#!/usr/bin/env bash
# pin-base-images.sh [--check]: writes behind each of Microsoft's image tags in infra/ and compose.yaml the digest that
# the tag has now. With --check it changes nothing, and ends with 1 where a digest is missing or old.
set -euo pipefail
top="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)"
case "${1:-}" in '') write=yes ;; --check) write=no ;; *) printf 'usage: eng/pin-base-images.sh [--check]\n' >&2; exit 2 ;; esac
accept='application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json'

mapfile -t files < <(find "$top/infra" -name '*.Dockerfile' -o -path '*/kubernetes/*' -name '*.yaml'; printf '%s\n' "$top/compose.yaml")
mapfile -t images < <(grep -hoE '(FROM|image:) mcr\.microsoft\.com/[a-z0-9./-]+:[A-Za-z0-9._-]+' "${files[@]}" | sed 's/^[^ ]* //' | sort -u)
status=0
for image in "${images[@]}"; do
  path="${image#mcr.microsoft.com/}"
  digest="$(curl --fail --silent --show-error --head --location --header "Accept: $accept" "https://mcr.microsoft.com/v2/${path%:*}/manifests/${path##*:}" |
    tr -d '\r' | sed -n 's/^[Dd]ocker-[Cc]ontent-[Dd]igest: \(sha256:[0-9a-f]\{64\}\)$/\1/p')"
  [[ -n "$digest" ]] || { printf 'pin-base-images: %s: the registry names no digest\n' "$image" >&2; exit 1; }
  mapfile -t stale < <(grep -lE "(FROM|image:) ${image//./\\.}(@sha256:[0-9a-f]{64})?( |\$)" "${files[@]}" | xargs -r grep -LF "$image@$digest" --)
  if [[ ${#stale[@]} == 0 ]]; then printf '%s is %s\n' "$image" "$digest"; continue; fi
  printf '%s becomes %s in %s\n' "$image" "$digest" "${stale[*]#"$top"/}"
  if [[ "$write" == yes ]]; then sed -i -E "s#((FROM|image:) ${image//./\\.})(@sha256:[0-9a-f]{64})?( |\$)#\1@$digest\4#" "${stale[@]}"
  else status=1
  fi
done
exit "$status"
