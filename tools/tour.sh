#!/usr/bin/env bash
# Everything that docs/dvc.md shows, in a fresh clone with little training; prints each command and what it prints.
# Needs the environment of requirements-dev.lock. The clone is removed at the end.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DVC_NO_ANALYTICS=1 DAE_JOBS=${DAE_JOBS:-1} COLUMNS=120
export GIT_AUTHOR_NAME=tour GIT_AUTHOR_EMAIL=tour@localhost GIT_COMMITTER_NAME=tour GIT_COMMITTER_EMAIL=tour@localhost

title() { printf '\n\n== %s\n' "$*"; }
run() { printf '\n$ %s\n' "$*"; "$@"; }
refused() { printf '\n$ %s\n' "$*"; ! "$@"; }  # must fail
restore() { git checkout --quiet --force main && dvc checkout --quiet; }

title "A fresh clone, a small setting"
run git clone --quiet "$root" "$work/first"
cd "$work/first"
git checkout --quiet -B main
run python -m tools.small
run dvc repro
run git commit --quiet --all --message "A small setting"

title "Experiments"
run dvc exp run -S noise=0.3 -n less-noise
restore
refused dvc exp run -S noize=0.3
refused dvc exp run -S noise=7
restore
run dvc exp run --queue -S corruption=gaussian -S noise=0.5 -n gaussian
run dvc exp run --queue -S 'noise=range(0.6,0.75,0.1)'
run dvc queue start --jobs 2
while [[ $(dvc queue status) =~ Queued|Running|[1-9]\ (active|idle) ]]; do sleep 2; done
run dvc queue status
run dvc exp run --temp -S evaluate.margin=0.01 -n margin
run dvc exp show --no-pager --drop '.*' --keep 'Exp|verdict|gain|with_acc|corruption|noise$'
run dvc exp diff main gaussian
run dvc exp apply less-noise
run dvc exp save -n kept
restore
run dvc exp branch less-noise less-noise

title "Comparisons"
run dvc metrics show
run dvc metrics diff main less-noise
run dvc params diff main less-noise
run python -m tools.plots main less-noise
run .ci/comment less-noise https://example.org/raw/commit

title "Sharing"
git clone --quiet --bare . "$work/origin.git"
git remote set-url origin "$work/origin.git"
run dvc remote add --default storage "$work/storage"
run dvc remote modify storage verify true
run git commit --quiet --all --message "Add a remote"
run git push --quiet origin main
run dvc push
run dvc exp push origin gaussian
run git clone --quiet "$work/origin.git" "$work/second"
cd "$work/second"
run dvc pull
run dvc repro
run dvc exp pull origin gaussian
title "A damaged object of the remote"
object=$(find "$work/storage" -type f -size +1M | sort | head -1)
chmod u+w "$object"
echo damaged >"$object"
rm -r .dvc/cache data
refused dvc pull
cd "$work/first"
run python -m tools.heal_remote
cd "$work/second"
run dvc pull

title "The models, on pictures"
python - <<'PICTURES'
import numpy as np
from PIL import Image

digits = np.load("data/raw/test_images.npy")
Image.fromarray(digits[0]).resize((200, 200)).save("light-on-dark.png")
sheet = Image.new("L", (640, 480), 230)
sheet.paste(Image.fromarray(255 - digits[1]).resize((160, 160)), (420, 60))
sheet.save("dark-on-light.jpg")
PICTURES
run python -m tools.predict light-on-dark.png dark-on-light.jpg
refused python -m tools.predict README.md nothing.png

title "SSH, S3, the recipes of docs/extending.md and the workflow: their tests"
cd "$root"
run pytest tests/pipeline/test_remotes.py tests/pipeline/test_extending.py tests/pipeline/test_ci.py
