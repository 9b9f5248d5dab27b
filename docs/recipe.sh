#!/usr/bin/env bash
# A model for some thousand reviews from random weights (docs/recipe.md): five teachers that differ by their seeds, and one
# student that learns what they say of ten views of each review.
set -euo pipefail
if [[ $# != 2 ]]; then
  echo "usage: docs/recipe.sh REVIEWS FOLDER   (labelled reviews; the model goes into the folder, its teachers under teachers/)" >&2
  exit 2
fi
sbert="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)/sbert"
train=("$sbert" train --data "$1" --preset tiny --layers 1 --initializer-range 0.06 --vocab-size 10000 --max-length 512
  --lr 1e-3 --adam-beta2 0.95 --adam-epsilon 2e-5 --weight-decay 0.05 --attention-dropout 0.1 --eval-fraction 0 --no-load-best)
teachers=()
for seed in 1 2 3 4 5; do
  teachers+=("$2/teachers/$seed")
  "${train[@]}" --epochs 9 --late-dropout-start 2 --ema-decay 0.995 --hidden-dropout 0.4 --token-dropout 0.2 --token-masking 0.3 \
    --ordinal-label-smoothing 0.15 --seed "$seed" --out "${teachers[-1]}"
done
"${train[@]}" --epochs 2 --hidden-dropout 0.1 --teacher "${teachers[@]}" --distillation-weight 1 --augmented-views 10 --seed 42 --out "$2"
