# Sourced by setup and sbert: is_built TOP tells whether the Release build is there and newer than every source.
# Folders count too, so that a file that was removed is noticed.
is_built() {
  local top="$1" stamp="$1/artifacts/setup.stamp"
  [[ -f "$stamp" && -f "$top/artifacts/bin/ServerlessBert.Cli/release/sbert.dll" ]] || return 1
  local roots=() folder
  for folder in src tests samples eng benchmarks; do
    [[ -d "$top/$folder" ]] && roots+=("$top/$folder")
  done
  [[ -z "$(find "${roots[@]}" "$top"/*.props "$top"/*.targets "$top"/*.sln "$top"/*.json -name node_modules -prune -o -newer "$stamp" -print -quit)" ]]
}
